package pgstore

import (
	"context"
	"net"
	"syscall"
	"testing"
)

// A connection has the limit in the system, not in the dialer alone.
func TestDialerLimitsSilence(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := dialer()(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	want := map[[2]int]int{
		{syscall.IPPROTO_TCP, tcpUserTimeout}:        20_000,
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}:   1,
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE}:  10,
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL}: 3,
	}
	if err := raw.Control(func(fd uintptr) {
		for option, value := range want {
			if got, err := syscall.GetsockoptInt(int(fd), option[0], option[1]); err != nil || got != value {
				t.Errorf("option %v is %d, %v; want %d", option, got, err, value)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
}
