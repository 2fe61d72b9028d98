package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
)

// SMTPOptions tune mail. From and To are required; the zero value of every
// other field means its default.
type SMTPOptions struct {
	From string   // an address, such as "eGRID <egrid@example.org>"
	To   []string // addresses

	// Username and Password log in by PLAIN, over TLS only; default no login.
	Username, Password string
	// ImplicitTLS speaks TLS from the first byte, as is the custom on port
	// 465; default STARTTLS where the server offers it.
	ImplicitTLS bool
	// AllowPlaintext sends mail without TLS when the server does not offer it;
	// default only to loopback addresses.
	AllowPlaintext bool
	// TLS is for a certificate authority of one's own and the like; default
	// the system's, and the host of the address as the server's name.
	TLS *tls.Config
	// Timeout is for the whole of a mail; default 30 seconds.
	Timeout time.Duration
}

// SMTP is the channel that sends mail through the server at an address of host
// and port. The Message-ID is made of the message's id and the Date is the
// notice's, so that a repeated mail can be told as such.
//
// A reply of 5xx, and a server without the TLS that is called for, are permanent
// failures; everything else is retried. When the server refuses some recipients
// for good the others get the mail, and the failure is permanent; when it
// refuses some for now nobody gets it until the retry. Recipients who must not
// wait for each other have channels of their own.
func SMTP(addr string, o *SMTPOptions) (Notifier, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("%w: smtp: %q; want host:port, as in mail.example.org:587", egrid.ErrInvalid, addr)
	}
	m := &mailer{addr: addr, host: host}
	if o != nil {
		m.o = *o
	}
	if m.from, err = parseAddress(m.o.From); err != nil {
		return nil, err
	}
	if len(m.o.To) == 0 {
		return nil, fmt.Errorf("%w: smtp: no recipient", egrid.ErrInvalid)
	}
	for _, to := range m.o.To {
		address, err := parseAddress(to)
		if err != nil {
			return nil, err
		}
		m.to = append(m.to, address)
	}
	if m.o.Timeout == 0 {
		m.o.Timeout = 30 * time.Second
	}
	m.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if m.o.TLS != nil {
		m.tls = m.o.TLS.Clone()
	}
	if m.tls.ServerName == "" {
		m.tls.ServerName = host
	}
	return m, nil
}

// parseAddress takes an address that every server does: the name may have any
// characters, the address itself has those of ASCII and none that would have to
// be quoted.
func parseAddress(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || !printable(a.Address) || strings.ContainsAny(a.Address, ` "\(),:;<>`) {
		return nil, fmt.Errorf("%w: smtp: %q is no mail address", egrid.ErrInvalid, s)
	}
	return a, nil
}

type mailer struct {
	addr, host string
	from       *mail.Address
	to         []*mail.Address
	tls        *tls.Config
	o          SMTPOptions
}

func (m *mailer) Name() string { return "smtp " + m.host }

func (m *mailer) Notify(ctx context.Context, id string, n etl.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	err := m.send(ctx, composeMail(m.from, m.to, id, n))
	if ctx.Err() != nil && err != nil && !queue.IsPermanent(err) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

func (m *mailer) send(ctx context.Context, text []byte) error {
	conn, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return replied("greeting", err)
	}
	if err := m.prepare(c, conn); err != nil {
		return err
	}
	refused, err := m.submit(c, text)
	if err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Now().Add(quitTimeout)) // the mail is the server's by now
	_ = c.Quit()
	return refused
}

const quitTimeout = time.Second

func (m *mailer) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", m.addr)
	if err != nil || !m.o.ImplicitTLS {
		return conn, err
	}
	secure := tls.Client(conn, m.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}

// prepare takes a session to where mail can be sent.
func (m *mailer) prepare(c *smtp.Client, conn net.Conn) error {
	if err := c.Hello(literal(conn.LocalAddr())); err != nil {
		return replied("EHLO", err)
	}
	secure := m.o.ImplicitTLS
	if offered, _ := c.Extension("STARTTLS"); offered && !secure {
		if err := c.StartTLS(m.tls); err != nil {
			return replied("STARTTLS", err)
		}
		secure = true
	}
	if !secure && !m.o.AllowPlaintext && !loopback(conn.RemoteAddr()) {
		return queue.Permanent(errors.New("the server does not offer STARTTLS, and mail without TLS is not allowed"))
	}
	if m.o.Username == "" {
		return nil
	}
	if !secure {
		return queue.Permanent(errors.New("the server does not offer STARTTLS, and a password is not sent without TLS"))
	}
	return m.login(c)
}

// login keeps the server's words out of the error: some repeat what they got.
func (m *mailer) login(c *smtp.Client) error {
	_, ways := c.Extension("AUTH")
	if !slices.ContainsFunc(strings.Fields(ways), func(way string) bool { return strings.EqualFold(way, "PLAIN") }) {
		return queue.Permanent(errors.New("the server does not offer a login by PLAIN"))
	}
	err := c.Auth(smtp.PlainAuth("", m.o.Username, m.o.Password, m.host))
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return replied("login", &textproto.Error{Code: reply.Code, Msg: "refused"})
	}
	return replied("login", err)
}

// submit sends the mail to all recipients that the server takes, and returns
// which it refuses for good beside the error that kept it from sending.
func (m *mailer) submit(c *smtp.Client, text []byte) (refused, err error) {
	if err := c.Mail(m.from.Address); err != nil {
		return nil, replied("MAIL", err)
	}
	var gone []error
	for _, to := range m.to {
		err := replied("RCPT "+to.Address, c.Rcpt(to.Address))
		switch {
		case err == nil:
		case queue.IsPermanent(err):
			gone = append(gone, err)
		default:
			return nil, err
		}
	}
	if refused = errors.Join(gone...); len(gone) == len(m.to) {
		return nil, refused
	}
	w, err := c.Data()
	if err != nil {
		return nil, replied("DATA", err)
	}
	if _, err := w.Write(text); err != nil {
		return nil, replied("DATA", err)
	}
	return refused, replied("DATA", w.Close())
}

// replied says at which step a server failed, and marks 5xx as permanent.
func replied(step string, err error) error {
	if err == nil {
		return nil
	}
	var reply *textproto.Error
	permanent := errors.As(err, &reply) && reply.Code >= 500
	err = fmt.Errorf("%s: %w", step, err)
	if permanent {
		return queue.Permanent(err)
	}
	return err
}

// literal names this host to the server by its address, which unlike a name
// every server takes.
func literal(a net.Addr) string {
	ip := addressOf(a)
	switch {
	case ip.Is4():
		return "[" + ip.String() + "]"
	case ip.Is6():
		return "[IPv6:" + ip.WithZone("").String() + "]"
	}
	return "localhost"
}

func loopback(a net.Addr) bool { return addressOf(a).IsLoopback() }

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
