package rabbitqueue_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a broker and its server, to break their connections.
type proxy struct {
	listener net.Listener
	target   string
	url      string

	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool // new connections are refused

	frozen sync.RWMutex // held while nothing goes through
}

// slowly waits while the proxy is frozen.
type slowly struct {
	p *proxy
	net.Conn
}

func (s slowly) Write(b []byte) (int, error) {
	s.p.frozen.RLock()
	defer s.p.frozen.RUnlock()
	return s.Conn.Write(b)
}

func newProxy(t testing.TB, server string) *proxy {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: u.Host, conns: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	p.url = u.String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut(true)
		serving.Wait()
	})
	return p
}

func (p *proxy) serve(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer far.Close()
	p.mu.Lock()
	if p.down {
		p.mu.Unlock()
		return
	}
	p.conns[near], p.conns[far] = true, true
	p.mu.Unlock()
	var copying sync.WaitGroup
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		copying.Go(func() {
			_, _ = io.Copy(slowly{p, pair[0]}, pair[1])
			_ = near.Close()
			_ = far.Close()
		})
	}
	copying.Wait()
	p.mu.Lock()
	delete(p.conns, near)
	delete(p.conns, far)
	p.mu.Unlock()
}

// cut breaks all connections, in the middle of whatever they carry. While down
// there are no new ones.
func (p *proxy) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for conn := range p.conns {
		_ = conn.Close()
	}
}

func (p *proxy) up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
