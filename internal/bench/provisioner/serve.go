package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
	"github.com/batchctl/batchctl/store"
)

// serve is the service that is measured. It prints a line for each lease that
// is ordered: how long ago its run was seen first, in nanoseconds.
func serve(jenkinsURL, file string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+file)
	if err != nil {
		return err
	}
	client, err := jenkins.New(jenkins.Config{URL: jenkinsURL, User: "provisioner", Token: jenkinstest.Token("provisioner")})
	if err != nil {
		return err
	}
	second := time.Second
	cloud := nodetest.NewCloud(time.Now, rand.New(rand.NewPCG(1, 1)), nodetest.CloudConfig{
		Start: nodetest.Range{Min: second, Max: second}, Boot: nodetest.Range{Min: second, Max: 2 * second}, Ending: nodetest.Range{Max: second}})
	r := nodes.New(nodes.Config{
		Owner: "bench", Timing: nodes.DefaultTiming(), Key: []byte("a key"), Store: watched{db}, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Controllers: map[string]nodes.Controller{"main": {Client: client, AgentURL: jenkinsURL, Every: second}},
		Clouds:      map[string]nodes.Cloud{"sim": {Driver: cloud.Driver("bench"), Every: 10 * second, Calls: 4}},
		Pools:       map[string]nodes.Pool{"standard": {Name: "standard", Places: []nodes.Place{{Name: "sim-1", Cloud: "sim"}}}},
		UserData:    func(_ nodes.Order, token string) (string, error) { return token, nil },
	})
	r.SetCatalog(theCatalog())
	var machines sync.WaitGroup
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			for _, m := range cloud.Boots() {
				machines.Go(func() { boot(ctx, r, jenkinsURL, m) })
			}
		}
	}()
	r.Run(ctx)
	machines.Wait()
	return db.Close()
}

// boot is what a machine does: it calls in, and its agent connects.
func boot(ctx context.Context, r *nodes.Reconciler, jenkinsURL string, m nodetest.Machine) {
	for {
		changed := r.Changed()
		h, err := r.CallIn(ctx, nodes.Call{Token: m.Request.UserData, Machine: m.ID, Claim: fmt.Sprintf("%064s", m.ID)})
		if err == nil {
			form := url.Values{"name": {h.Name}, "secret": {h.Secret}}
			if res, err := http.PostForm(jenkinsURL+"/agent", form); err == nil {
				_ = res.Body.Close()
				return
			}
		}
		select {
		case <-changed:
		case <-time.After(time.Second):
		}
	}
}

// watched tells of each order when its leases' runs were seen.
type watched struct{ *store.DB }

func (w watched) Place(ctx context.Context, o nodes.Order, leases []nodes.Lease, lim nodes.Limits) ([]nodes.Lease, []nodes.Over, error) {
	placed, over, err := w.DB.Place(ctx, o, leases, lim)
	for i := range placed {
		fmt.Println(int64(time.Since(placed[i].Seen)))
	}
	return placed, over, err
}
