// Command cmd serves WeChat's fake, for tests in other languages and for trying an
// account without one:
//
//	go run ./bot/wechat/wechatfake/cmd -callback http://127.0.0.1:8080/wechat
//
// What it takes from the console of a real account it logs as it starts. The API is at
// its address; POST /control/say {"openid":"o1","text":"你好"} plays a follower, and GET
// /control/lines?openid=o1 shows what they see.
package main

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"fanli/bot/wechat/wechatfake"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "where to serve")
	callback := flag.String("callback", "", "where messages are pushed to")
	mode := flag.String("mode", string(wechatfake.Safe), "plain, compatible or safe")
	profile := flag.String("profile", string(wechatfake.Service), "personal, subscription, service or sandbox")
	alike := flag.Bool("alike", false, "deliver again to the letter, not signed anew")
	flag.Parse()
	s := wechatfake.New(wechatfake.Config{Callback: *callback, Mode: wechatfake.Mode(*mode), Profile: wechatfake.Profile(*profile), Alike: *alike})
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", *listen)
	if err != nil {
		slog.Error("it cannot listen", "error", err)
		os.Exit(1)
	}
	slog.Info("serving", "endpoint", "http://"+l.Addr().String(), "app_id", s.AppID(), "app_secret", s.Secret(), "token", s.Token(),
		"encoding_aes_key", s.AESKey(), "account", s.Account(), "mode", *mode, "profile", *profile)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	if err := server.Serve(l); err != nil {
		slog.Error("it has ended", "error", err)
		os.Exit(1)
	}
}
