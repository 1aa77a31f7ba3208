// SPDX-License-Identifier: MIT

// A small web service, of the kind that is shipped in a container: it greets at "/", reports its
// health at "/healthz" and stops when it is told to.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func greeting(name string) string {
	return fmt.Sprintf("Hello, %s, from a very small image!", name)
}

func handler(name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, greeting(name))
	})
	return mux
}

func serve(address, name string) error {
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()

	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(name), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-stop.Done()
		timeout, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		server.Shutdown(timeout)
	}()
	log.Printf("listening on %s", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	log.Print("stopped")
	return nil
}

func main() {
	greet := flag.Bool("greet", false, "print the greeting and exit")
	listen := flag.String("listen", ":8080", "`address` to listen on")
	name := flag.String("name", "world", "whom to greet")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "hello-http: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if *greet {
		fmt.Println(greeting(*name))
		return
	}
	if err := serve(*listen, *name); err != nil {
		log.Fatalf("hello-http: %v", err)
	}
}
