package notify_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer speaks SMTP as far as a client of it needs. What begins with a key
// of script is answered by its value, or by "hang" or "close". The keys
// GREETING and "." stand for the begin of a session and the end of a mail.
type mailServer struct {
	t        testing.TB
	addr     string
	tls      *tls.Config // offers STARTTLS; default not
	implicit bool        // TLS from the first byte
	script   map[string]string

	sessions sync.WaitGroup
	mu       sync.Mutex
	closing  chan struct{}
	conns    []net.Conn
	commands []string
	mails    []received
}

type received struct {
	commands []string // of the session so far
	data     []byte   // with \r\n, without the dots of transport
	secure   bool
	login    string // the argument of AUTH
}

// start listens on an address of this host.
func (s *mailServer) start(t testing.TB, host string) *mailServer {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s.t, s.addr, s.closing = t, l.Addr().String(), make(chan struct{})
	s.sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			if s.implicit {
				conn = tls.Server(conn, s.tls)
			}
			s.sessions.Go(func() { (&session{server: s, conn: conn}).run() })
		}
	})
	t.Cleanup(func() {
		l.Close()
		close(s.closing)
		s.mu.Lock()
		for _, c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		s.sessions.Wait()
	})
	return s
}

func (s *mailServer) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

func (s *mailServer) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.commands, "\n")
}

type session struct {
	server   *mailServer
	conn     net.Conn
	in       *bufio.Reader
	secure   bool
	login    string
	commands []string
}

var errEnd = errors.New("the session ends")

func (s *session) run() {
	defer s.conn.Close()
	s.in, s.secure = bufio.NewReader(s.conn), s.server.implicit
	if s.reply("GREETING", "220 mail.example.org ready") != nil {
		return
	}
	for {
		line, err := s.in.ReadString('\n')
		if err != nil || s.command(strings.TrimRight(line, "\r\n")) != nil {
			return
		}
	}
}

// reply answers as the script says, or else by this.
func (s *session) reply(command, text string) error {
	s.server.mu.Lock()
	for key, value := range s.server.script {
		if strings.HasPrefix(command, key) {
			text = value
		}
	}
	s.server.mu.Unlock()
	switch text {
	case "hang":
		<-s.server.closing
		return errEnd
	case "close":
		return errEnd
	}
	_, err := fmt.Fprintf(s.conn, "%s\r\n", text)
	return err
}

func (s *session) command(line string) error {
	s.commands = append(s.commands, line)
	s.server.mu.Lock()
	s.server.commands = append(s.server.commands, line)
	s.server.mu.Unlock()
	verb, argument, _ := strings.Cut(line, " ")
	switch verb {
	case "EHLO":
		text := "250-mail.example.org\r\n250-8BITMIME\r\n"
		if s.server.tls != nil && !s.secure {
			text += "250-STARTTLS\r\n"
		}
		return s.reply(line, text+"250 AUTH LOGIN PLAIN")
	case "STARTTLS":
		if err := s.reply(line, "220 go ahead"); err != nil {
			return err
		}
		conn := tls.Server(s.conn, s.server.tls)
		s.conn, s.in, s.secure = conn, bufio.NewReader(conn), true
		return nil
	case "AUTH":
		s.login = argument
		return s.reply(line, "235 welcome")
	case "MAIL", "RCPT", "RSET":
		return s.reply(line, "250 fine")
	case "DATA":
		return s.data(line)
	case "QUIT":
		_ = s.reply(line, "221 bye")
		return errEnd
	}
	return s.reply(line, "502 what?")
}

func (s *session) data(line string) error {
	if err := s.reply(line, "354 go ahead"); err != nil {
		return err
	}
	var data bytes.Buffer
	for {
		line, err := s.in.ReadBytes('\n')
		if err != nil {
			return err
		}
		text, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if !ok || bytes.ContainsAny(text, "\r\n") || len(text) > 998 {
			s.server.t.Errorf("a line of %d bytes is none of SMTP: %q", len(line), line)
		}
		if string(text) == "." {
			break
		}
		data.Write(bytes.TrimPrefix(line, []byte(".")))
	}
	s.server.mu.Lock()
	s.server.mails = append(s.server.mails, received{s.commands, data.Bytes(), s.secure, s.login})
	s.server.mu.Unlock()
	return s.reply(".", "250 queued")
}

// certificate makes one for 127.0.0.1, and the pool that trusts it.
func certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"mail.example.org"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}
