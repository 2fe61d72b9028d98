package rediscache

import (
	"context"
	"net"
	"time"
)

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// quietly makes a dial that fails a connection that fails when it is first
// used. The client writes a line to standard error for every other failure to
// dial, which no option but a global one keeps it from.
func quietly(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return unconnected{err}, nil //nolint:nilerr // the connection returns it
		}
		return c, nil
	}
}

// unconnected is a connection to nowhere.
type unconnected struct{ why error }

func (c unconnected) Read([]byte) (int, error)       { return 0, c.why }
func (c unconnected) Write([]byte) (int, error)      { return 0, c.why }
func (unconnected) Close() error                     { return nil }
func (unconnected) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (unconnected) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (unconnected) SetDeadline(time.Time) error      { return nil }
func (unconnected) SetReadDeadline(time.Time) error  { return nil }
func (unconnected) SetWriteDeadline(time.Time) error { return nil }
