package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/notify"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// What a run reports goes through the queue to the log.
func ExampleHandler() {
	ctx, stop := context.WithCancel(context.Background())
	broker := memqueue.New(nil)
	defer broker.Close()
	report := etl.Report{RunID: "r1", Status: etl.Held, Files: []etl.FileReport{{Object: "SRL23.csv", Sheets: []etl.SheetReport{
		{Level: egrid.SRL, Year: 2023, Status: etl.Held, Reason: "CO2e is below CO2 in 1 row"},
	}}}}
	for _, n := range etl.Notices(report, time.Now()) {
		m, err := etl.EncodeNotice(n)
		if err == nil {
			err = broker.Publish(ctx, m)
		}
		if err != nil {
			fmt.Println(err)
		}
	}

	// Of each record the time, the ids and the text are left out.
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "id" || a.Key == "text" || a.Key == "trace_id" || a.Key == "span_id" {
			return slog.Attr{}
		}
		return a
	}}))
	told := 0
	err := queue.Consume(ctx, broker, queue.QueueNotification, notify.Handler(notify.Log(logger)), &queue.ConsumeOptions{
		Workers: 1,
		Observe: func(context.Context, queue.Event) {
			if told++; told == 2 {
				stop() // a service stops when it is told to
			}
		},
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// level=INFO msg="Load finished: 1 held" kind=run_finished run_id=r1
	// level=WARN msg="Load held: SRL 2023 from SRL23.csv" kind=load_held run_id=r1
}

// A receiver checks the signature before it believes the body.
func ExampleWebhook() {
	const secret = "whsec_ZWdyaWQtZ28gdGVzdCBzZWNyZXQsIDMyIGJ5dGVzLi4="
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err == nil {
			err = notify.Verify(secret, r.Header, body, time.Now())
		}
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var n etl.Notice
		if err := json.Unmarshal(body, &n); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Printf("%s: %s: %s\n", r.Header.Get(notify.HeaderID), n.Kind, n.Title)
	}))
	defer server.Close()

	n := etl.Notice{Kind: etl.NoticeFailure, Time: time.Now(), Title: "The store is away"}
	for _, s := range []string{secret, "whsec_YW5vdGhlciBzZWNyZXQgb2YgMzIgYnl0ZXMgLi4uLi4="} {
		hook, err := notify.Webhook(server.URL, &notify.WebhookOptions{Secret: s})
		if err != nil {
			fmt.Println(err)
			return
		}
		err = hook.Notify(context.Background(), "id-1", n)
		fmt.Println(err, queue.IsPermanent(err))
	}
	// Output:
	// id-1: failure: The store is away
	// <nil> false
	// answered with status 401 Unauthorized true
}

func ExampleSMTP() {
	mail, err := notify.SMTP("mail.example.org:587", &notify.SMTPOptions{
		From:     "eGRID <egrid@example.org>",
		To:       []string{"data-team@example.org"},
		Username: "egrid",
		Password: "...",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mail.Name())
	// Output: smtp mail.example.org
}
