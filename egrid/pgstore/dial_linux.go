package pgstore

import (
	"strings"
	"syscall"
)

const tcpUserTimeout = 0x12 // TCP_USER_TIMEOUT of linux/tcp.h, which package syscall lacks

// limitSilence bounds how long what was sent may be without an acknowledgement:
// keep-alive probes are not sent meanwhile.
func limitSilence(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	if outer := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(connectionSilence.Milliseconds()))
	}); outer != nil {
		return outer
	}
	return err
}
