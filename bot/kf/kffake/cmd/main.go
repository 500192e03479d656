// Command cmd serves the fake of WeCom's customer service, for trying the channel without
// an account:
//
//	go run ./bot/kf/kffake/cmd -callback http://127.0.0.1:8080/wecom
//
// What it takes from the console of a real company it logs as it starts. The API is at its
// address; POST /control/say {"customer":"wm1","text":"你好"} plays a customer, and POST
// /control/lines {"customer":"wm1"} shows what they see.
package main

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"fanli/bot/kf/kffake"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8091", "where to serve")
	callback := flag.String("callback", "", "where hints are pushed to")
	flag.Parse()
	s := kffake.New(kffake.Config{Callback: *callback})
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", *listen)
	if err != nil {
		slog.Error("it cannot listen", "error", err)
		os.Exit(1)
	}
	slog.Info("serving", "endpoint", "http://"+l.Addr().String(), "corp_id", s.CorpID(), "secret", s.Secret(), "token", s.Token(),
		"encoding_aes_key", s.AESKey(), "open_kfid", s.OpenKfID())
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	if err := server.Serve(l); err != nil {
		slog.Error("it has ended", "error", err)
		os.Exit(1)
	}
}
