package main

import (
	"context"
	"fmt"
	"time"
)

// explainMost is the goal: how long the answer to "why is this address not there?" may take, in seconds.
const explainMost = 2

// explaining measures explanations of addresses among n entries: of the account alone, and while it takes one preview
// after the other.
func (b *bench) explaining(ctx context.Context, n int) error {
	return b.withDirectory(ctx, n, startTLS, func(d *slapd) error {
		connection, err := d.connection()
		if err != nil {
			return err
		}
		return inFolder(func(data string) error {
			return b.withProgram(data, func(p *program) error {
				x := explained{p, connection, n}
				if err := b.addExplained(ctx, x, ""); err != nil {
					return err
				}
				ctx, stop := context.WithCancel(ctx)
				previews := make(chan error, 1)
				go func() { previews <- x.previews(ctx) }()
				err := b.addExplained(ctx, x, ", while its account previews them")
				stop()
				if previewErr := <-previews; err == nil {
					err = previewErr
				}
				return err
			})
		})
	})
}

// explained asks for explanations of people of one directory.
type explained struct {
	*program
	connection map[string]any
	entries    int
}

// previews takes one preview after the other until ctx ends.
func (x explained) previews(ctx context.Context) error {
	for ctx.Err() == nil {
		_, err := x.finish(ctx, "explain", "/v1/previews", map[string]any{"connection": x.connection})
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// addExplained measures addresses that the directory has, in several places of it, and one that it has not.
func (b *bench) addExplained(ctx context.Context, x explained, during string) error {
	var took []float64
	for round := range rounds {
		for _, address := range []string{
			"user000001@example.com", fmt.Sprintf("U%d@example.com", x.entries/2+round),
			fmt.Sprintf("user%06d@example.com", x.entries), "nobody@example.com",
		} {
			start := time.Now()
			_, err := x.finish(ctx, "explain", "/v1/explanations", map[string]any{
				"address": address, "connection": x.connection,
				"advanced": map[string]any{"filter": "(&" + filter + "(objectClass=person)(!(mail=user000001*)))"},
			})
			if err != nil {
				return err
			}
			took = append(took, time.Since(start).Seconds())
		}
	}
	b.add(row{
		work: fmt.Sprintf("explain one address of %s entries%s", thousands(x.entries), during), ours: samples(took),
		goals: []goal{{what: "longest", unit: " s", got: quantile(took, 1), most: explainMost}},
	})
	return nil
}
