package notify_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/notify"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// mailOptions are those of most tests.
func mailOptions() *notify.SMTPOptions {
	return &notify.SMTPOptions{From: "eGRID <egrid@example.org>", To: []string{"a@example.org", "Bé <b@example.org>"}}
}

func smtpTo(t testing.TB, addr string, o *notify.SMTPOptions) notify.Notifier {
	t.Helper()
	n, err := notify.SMTP(addr, o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMail(t *testing.T) {
	t.Parallel()
	s := (&mailServer{}).start(t, "127.0.0.1")
	n := smtpTo(t, s.addr, mailOptions())
	notice := someNotice
	notice.Title = "Läst: " + strings.Repeat("日本語 ", 30) + "end"
	notice.Text = "Grüße\n.\n.dot\nFrom here\n" + strings.Repeat("long ", 100)
	if err := n.Notify(t.Context(), "id-1", notice); err != nil {
		t.Fatal(err)
	}
	got := s.received()[0]
	want := []string{"EHLO [127.0.0.1]", "MAIL FROM:<egrid@example.org> BODY=8BITMIME", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"}
	if !slices.Equal(got.commands, want) {
		t.Errorf("commands %q; want %q", got.commands, want)
	}
	m := parseMail(t, got.data)
	for name, want := range map[string]string{
		"From": `"eGRID" <egrid@example.org>`, "To": "<a@example.org>, =?utf-8?q?B=C3=A9?= <b@example.org>", "Message-Id": "<id-1@example.org>",
		"Date": "Tue, 30 Jan 2024 12:00:00 +0000", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0",
		"Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "quoted-printable",
	} {
		if m.header.Get(name) != want {
			t.Errorf("%s: %q; want %q", name, m.header.Get(name), want)
		}
	}
	if m.subject != notice.Title || m.body != notice.Text+"\n\nRun "+notice.RunID+"\n" {
		t.Errorf("%q\n%q", m.subject, m.body)
	}
	for word := range strings.FieldsSeq(m.header.Get("Subject")) {
		if text, err := new(mime.WordDecoder).Decode(word); err != nil || !utf8.ValidString(text) {
			t.Errorf("%s is %q, %v; want whole characters", word, text, err)
		}
	}
	for line := range strings.Lines(string(got.data)) {
		if len(line) > 78 {
			t.Errorf("%q is longer than 76 characters", line)
		}
	}
	if n.Name() != "smtp 127.0.0.1" {
		t.Errorf("name %s", n.Name())
	}
	if err := n.Notify(t.Context(), "id-1", notice); err != nil || string(s.received()[1].data) != string(got.data) {
		t.Errorf("the same notice makes another mail, %v", err)
	}
	short := etl.Notice{Kind: etl.NoticeFailure, Title: "Short and plain"}
	if err := n.Notify(t.Context(), "id-2", short); err != nil || !bytes.Contains(s.received()[2].data, []byte("\r\nSubject: Short and plain\r\n")) || parseMail(t, s.received()[2].data).body != "Short and plain\n" {
		t.Errorf("got %s, %v", s.received()[2].data, err)
	}
}

type parsedMail struct {
	header        mail.Header
	subject, body string
}

// parseMail reads a mail as its receiver does.
func parseMail(t testing.TB, data []byte) parsedMail {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v: %q", err, data)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Errorf("subject %q: %v", m.Header.Get("Subject"), err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Error(err)
	}
	return parsedMail{m.Header, subject, strings.ReplaceAll(string(body), "\r\n", "\n")}
}

func TestMailOverTLS(t *testing.T) {
	t.Parallel()
	config, pool := certificate(t)
	const password = "hunter2"
	login := "PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00egrid\x00"+password))
	for _, test := range []struct {
		name      string
		server    *mailServer
		tls       *tls.Config
		username  string
		implicit  bool
		ok        bool
		permanent bool
		why       string
	}{
		{name: "STARTTLS", server: &mailServer{tls: config}, tls: &tls.Config{RootCAs: pool}, ok: true},
		{name: "STARTTLS and login", server: &mailServer{tls: config}, tls: &tls.Config{RootCAs: pool}, username: "egrid", ok: true},
		{name: "implicit and login", server: &mailServer{tls: config, implicit: true}, tls: &tls.Config{RootCAs: pool}, username: "egrid", implicit: true, ok: true},
		{name: "another name that the certificate has", server: &mailServer{tls: config}, tls: &tls.Config{RootCAs: pool, ServerName: "mail.example.org"}, username: "egrid", ok: true},
		{name: "a name that it has not", server: &mailServer{tls: config}, tls: &tls.Config{RootCAs: pool, ServerName: "other.example.org"}, username: "egrid", why: "other.example.org"},
		{name: "nobody's certificate", server: &mailServer{tls: config}, username: "egrid", why: "certificate"},
		{name: "nobody's certificate, implicit", server: &mailServer{tls: config, implicit: true}, username: "egrid", implicit: true, why: "certificate"},
		{name: "login without TLS", server: &mailServer{}, username: "egrid", permanent: true, why: "a password is not sent without TLS"},
		{name: "login refused", server: &mailServer{tls: config, script: map[string]string{"AUTH": "535 no, " + password + " is wrong"}}, tls: &tls.Config{RootCAs: pool}, username: "egrid", permanent: true, why: `login: 535 "refused"`},
		{name: "login busy", server: &mailServer{tls: config, script: map[string]string{"AUTH": "454 " + password}}, tls: &tls.Config{RootCAs: pool}, username: "egrid", why: `login: 454 "refused"`},
		{name: "no PLAIN", server: &mailServer{tls: config, script: map[string]string{"EHLO": "250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH LOGIN"}}, tls: &tls.Config{RootCAs: pool}, username: "egrid", permanent: true, why: "PLAIN"},
		{name: "STARTTLS fails", server: &mailServer{tls: config, script: map[string]string{"STARTTLS": "454 later"}}, username: "egrid", why: `STARTTLS: 454 "later"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.server.start(t, "127.0.0.1")
			o := mailOptions()
			o.TLS, o.ImplicitTLS, o.Username, o.Password = test.tls, test.implicit, test.username, password
			err := smtpTo(t, s.addr, o).Notify(t.Context(), "id", someNotice)
			if !test.ok {
				if err == nil || queue.IsPermanent(err) != test.permanent || !strings.Contains(err.Error(), test.why) || strings.Contains(err.Error(), password) {
					t.Errorf("%v; want one that says %q; permanent: %v", err, test.why, test.permanent)
				}
				if len(s.received()) != 0 || test.why == "certificate" && strings.Contains(s.seen(), "AUTH") {
					t.Errorf("it went on: %s", s.seen())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantLogin := ""
			if test.username != "" {
				wantLogin = login
			}
			if got := s.received()[0]; !got.secure || got.login != wantLogin {
				t.Errorf("TLS %v, login %q; want TLS and %q", got.secure, got.login, wantLogin)
			}
		})
	}
}

// Mail leaves the host under TLS, or by permission.
func TestMailWithoutTLS(t *testing.T) {
	t.Parallel()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(addrs, func(a net.Addr) bool {
		ip, ok := a.(*net.IPNet)
		return ok && !ip.IP.IsLoopback() && ip.IP.To4() != nil
	})
	if i < 0 {
		t.Skip("this host has no address but loopback ones")
	}
	host := addrs[i].(*net.IPNet).IP.String()
	s := (&mailServer{}).start(t, host)
	o := mailOptions()
	if err := smtpTo(t, s.addr, o).Notify(t.Context(), "id", someNotice); !queue.IsPermanent(err) || len(s.received()) != 0 {
		t.Errorf("%v; want a permanent failure", err)
	}
	o.AllowPlaintext = true
	if err := smtpTo(t, s.addr, o).Notify(t.Context(), "id", someNotice); err != nil || len(s.received()) != 1 {
		t.Errorf("%v; want it allowed", err)
	}
	o.Username, o.Password = "egrid", "hunter2"
	if err := smtpTo(t, s.addr, o).Notify(t.Context(), "id", someNotice); !queue.IsPermanent(err) || strings.Contains(s.seen(), "AUTH") {
		t.Errorf("%v; want the password kept", err)
	}
}

func TestMailRefused(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"GREETING", "MAIL", "RCPT", "RCPT TO:<b", "DATA", "."} {
		for reply, permanent := range map[string]bool{"421 later": false, "451 later": false, "550 never": true, "554 never": true, "close": false, "garbage": false} {
			t.Run(step+" "+reply, func(t *testing.T) {
				s := (&mailServer{script: map[string]string{step: reply}}).start(t, "127.0.0.1")
				err := smtpTo(t, s.addr, mailOptions()).Notify(t.Context(), "id", someNotice)
				if err == nil || queue.IsPermanent(err) != permanent {
					t.Errorf("%v; want a failure, permanent: %v", err, permanent)
				}
				sent := 0
				if step == "." || step == "RCPT TO:<b" && permanent {
					sent = 1 // and in the second case to the other recipient
				}
				if got := s.received(); len(got) != sent {
					t.Errorf("%d mails; want %d", len(got), sent)
				}
			})
		}
	}
	for _, reply := range []string{"close", "500 what", "hang"} {
		s := (&mailServer{script: map[string]string{"QUIT": reply}}).start(t, "127.0.0.1")
		if err := smtpTo(t, s.addr, mailOptions()).Notify(t.Context(), "id", someNotice); err != nil || len(s.received()) != 1 {
			t.Errorf("QUIT %s: %v; want it delivered", reply, err)
		}
	}
}

func TestMailThatHangs(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"GREETING", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		for _, by := range []string{"timeout", "ctx"} {
			t.Run(step+" "+by, func(t *testing.T) {
				s := (&mailServer{script: map[string]string{step: "hang"}}).start(t, "127.0.0.1")
				o, ctx, want := mailOptions(), t.Context(), context.DeadlineExceeded
				if by == "ctx" {
					canceled, cancel := context.WithCancel(ctx)
					time.AfterFunc(50*time.Millisecond, cancel)
					ctx, want = canceled, context.Canceled
				} else {
					o.Timeout = 50 * time.Millisecond
				}
				start := time.Now()
				err := smtpTo(t, s.addr, o).Notify(ctx, "id", someNotice)
				if !errors.Is(err, want) || queue.IsPermanent(err) || time.Since(start) > 5*time.Second {
					t.Errorf("%v after %v; want %v", err, time.Since(start), want)
				}
			})
		}
	}
	s := (&mailServer{implicit: true, tls: &tls.Config{}}).start(t, "127.0.0.1") // has no certificate
	o := mailOptions()
	o.ImplicitTLS = true
	if err := smtpTo(t, s.addr, o).Notify(t.Context(), "id", someNotice); err == nil {
		t.Error("a handshake without a certificate passes")
	}
}

// A mail that is refused for now arrives in the end, once.
func TestMailThroughQueue(t *testing.T) {
	t.Parallel()
	s := (&mailServer{script: map[string]string{"RCPT": "450 greylisted"}}).start(t, "127.0.0.1")
	broker := memqueue.New(nil)
	defer broker.Close()
	m := messageOf(t, someNotice)
	if err := broker.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	handle := notify.Handler(smtpTo(t, s.addr, mailOptions()))
	e := consumeOne(t, broker, func(ctx context.Context, d queue.Delivery) error {
		if d.Attempt == 3 {
			s.mu.Lock()
			s.script = nil
			s.mu.Unlock()
		}
		return handle(ctx, d)
	})
	if got := s.received(); e.Outcome != queue.Done || e.Attempt != 3 || len(got) != 1 || parseMail(t, got[0].data).header.Get("Message-Id") != "<"+m.ID+"@example.org>" {
		t.Errorf("%+v; %+v", e, got)
	}
}

func TestMailArguments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		addr string
		o    notify.SMTPOptions
	}{
		{"mail.example.org", *mailOptions()},
		{":25", *mailOptions()},
		{"mail.example.org:", *mailOptions()},
		{"mail.example.org:25", notify.SMTPOptions{}},
		{"mail.example.org:25", notify.SMTPOptions{From: "a@example.org"}},
		{"mail.example.org:25", notify.SMTPOptions{From: "nobody", To: []string{"a@example.org"}}},
		{"mail.example.org:25", notify.SMTPOptions{From: "a@example.org", To: []string{"b@example.org, c@example.org"}}},
		{"mail.example.org:25", notify.SMTPOptions{From: "a@example.org", To: []string{"b@example.org\r\nBcc: c@example.org"}}},
		{"mail.example.org:25", notify.SMTPOptions{From: "a@example.org", To: []string{`"b> SIZE=1"@example.org`}}},
		{"mail.example.org:25", notify.SMTPOptions{From: "ä@example.org", To: []string{"b@example.org"}}},
	} {
		if _, err := notify.SMTP(test.addr, &test.o); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s %+v: %v; want ErrInvalid", test.addr, test.o, err)
		}
	}
	if _, err := notify.SMTP("mail.example.org:25", nil); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("no options: %v; want ErrInvalid", err)
	}
}

// FuzzMail sends notices of any content: what arrives is one mail with the
// headers that there always are, and a subject and a body that say the same.
func FuzzMail(f *testing.F) {
	f.Add("id", "title", "text", "run")
	f.Add("id>\r\nBcc: c@example.org\r\n", "x\r\nBcc: c@example.org\r\n\r\nhello", "\r\n.\r\nMAIL FROM:<c@example.org>\r\n", "r\r\n.\r\n")
	f.Add("\x00", "=?utf-8?q?=0D=0ABcc:_c@example.org?=", ".\n..\n.\r.\r\n\n.\n", "\n")
	f.Add("é", strings.Repeat("é", 100)+"\xff\xfe", strings.Repeat("é", 2000)+"\xff", strings.Repeat("r", 2000))
	f.Add("", strings.Repeat("a", 3000), " \t\n", "\u2028\u0085\x0b")
	s := (&mailServer{}).start(f, "127.0.0.1")
	n := smtpTo(f, s.addr, mailOptions())
	f.Fuzz(func(t *testing.T, id, title, text, run string) {
		s.mu.Lock()
		s.mails, s.commands = nil, nil
		s.mu.Unlock()
		if err := n.Notify(t.Context(), id, etl.Notice{Kind: etl.NoticeFailure, Title: title, Text: text, RunID: run}); err != nil {
			t.Fatal(err)
		}
		if got := s.received(); len(got) != 1 || len(got[0].commands) != 5 {
			t.Fatalf("got %+v", got)
		}
		m := parseMail(t, s.received()[0].data)
		names := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
		for name, values := range m.header {
			if !slices.Contains(names, name) || len(values) != 1 {
				t.Errorf("header %s: %q", name, values)
			}
		}
		if to, err := m.header.AddressList("To"); err != nil || len(to) != 2 {
			t.Errorf("to %v, %v", to, err)
		}
		if want := spaced(title); m.subject != want {
			t.Errorf("subject %q; want %q", m.subject, want)
		}
		if strings.ContainsAny(m.header.Get("Message-Id"), " \r\n") || strings.Count(m.header.Get("Message-Id"), ">") != 1 {
			t.Errorf("id %q", m.header.Get("Message-Id"))
		}
		want := text
		if want == "" {
			want = title
		}
		if run != "" {
			want += "\n\nRun " + run
		}
		if want = lines(want + "\n"); m.body != want {
			t.Errorf("body %q; want %q", m.body, want)
		}
	})
}

// spaced is a title whose control characters are spaces.
func spaced(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// lines is a text whose line ends are all the same.
func lines(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
