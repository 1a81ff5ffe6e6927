package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
)

// serveCommand runs the service.
func serveCommand(io *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service",
		Long: `Gives every run of a job of the catalog a machine of its own, until SIGTERM or
Ctrl-C. Machines, nodes and runs stay as they are then, and the next start goes
on with them.`,
		Args: noArgs,
	}
	path := configFlag(cmd, io)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := Load(*path)
		if err != nil {
			return err
		}
		return serve(cmd.Context(), io, c)
	}
	return cmd
}

func serve(ctx context.Context, io *streams, c Config) error {
	log := newLog(io.err, c.Log)
	p, err := c.parts(log)
	if err != nil {
		return err
	}
	s, err := newService(ctx, p)
	if err != nil {
		return err
	}
	log.Info("provisioner serves", "version", version, "owner", c.Owner, "listen", s.listener.Addr().String(), "store", s.db.String())
	err = s.run(ctx)
	log.Info("provisioner has ended; machines are left as they are")
	return err
}

// parts turns the configuration into what a service is put together from.
func (c *Config) parts(log *slog.Logger) (parts, error) {
	key, err := c.Key()
	if err != nil {
		return parts{}, err
	}
	url, err := c.StoreURL()
	if err != nil {
		return parts{}, err
	}
	p := parts{storeURL: url.Reveal(), listen: c.Listen, catalogFile: c.Catalog, retention: c.Retention, pools: c.nodePools()}
	p.bootstrap = bootstrap.Params{URL: c.MachinesURL, CAFile: c.Bootstrap.CAFile, Java: c.Bootstrap.Java, JavaOptions: c.Bootstrap.JavaOptions, Cache: c.Bootstrap.Cache, User: c.Bootstrap.User}
	p.userData = map[string]userData{}
	p.nodes = nodes.Config{Owner: c.Owner, Teams: c.Teams, Timing: nodes.Timing(c.Timing), Key: key, Log: log,
		Controllers: map[string]nodes.Controller{}, Clouds: map[string]nodes.Cloud{}, Pools: p.pools}
	if c.TLS != nil {
		pair, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
		if err != nil {
			return p, fmt.Errorf("tls: %w", err)
		}
		p.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	for name, cfg := range c.Controllers {
		client, err := newClient(cfg)
		if err != nil {
			return p, fmt.Errorf("controllers.%s: %w", name, err)
		}
		p.nodes.Controllers[name] = nodes.Controller{Client: client, AgentURL: cfg.agentURL(), Every: cfg.Every, StopLost: cfg.StopLostRuns}
	}
	for name, cfg := range c.Clouds {
		if p.nodes.Clouds[name], err = newCloud(c.Owner, cfg); err != nil {
			return p, fmt.Errorf("clouds.%s: %w", name, err)
		}
		p.userData[name] = cfg.userData()
	}
	for _, t := range c.Tokens {
		text, err := ReadSecret(t.File)
		if err != nil {
			return p, fmt.Errorf("token %s: %w", t.Name, err)
		}
		p.tokens = append(p.tokens, console.Token{Name: t.Name, Role: console.Role(t.Role), Hash: console.HashToken(text.Reveal())})
	}
	return p, nil
}

// newClient makes the client of a controller.
func newClient(c Controller) (*jenkins.Client, error) {
	token, err := ReadSecret(c.TokenFile)
	if err != nil {
		return nil, err
	}
	return jenkins.New(jenkins.Config{URL: c.URL, User: c.User, Token: token.Reveal()})
}

func (c *Controller) agentURL() string {
	if c.AgentURL != "" {
		return c.AgentURL
	}
	return c.URL
}

// nodePools returns the pools as package nodes has them.
func (c *Config) nodePools() map[string]nodes.Pool {
	pools := make(map[string]nodes.Pool, len(c.Pools))
	for name, cfg := range c.Pools {
		p := nodes.Pool{Name: name, Limit: cfg.Limit, Ahead: cfg.Ahead, Lead: cfg.Lead}
		for _, place := range cfg.Places {
			p.Places = append(p.Places, nodes.Place{Name: place.Name, Cloud: place.Cloud})
		}
		if cfg.Spares != nil {
			p.Spares, p.Spare = cfg.Spares.Count, cfg.Spares.Need()
		}
		pools[name] = p
	}
	return pools
}

// newLog makes the log as it is configured.
func newLog(to io.Writer, c Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // Load has checked it
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(to, o))
	}
	return slog.New(slog.NewJSONHandler(to, o))
}

// stale is how old the last answer of something outside may be while the
// service counts as ready.
const stale = time.Minute
