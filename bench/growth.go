package main

import "context"

// size is a directory of one size with what is measured on it, and the time that each took.
type size struct {
	entries int
	works   []work
	took    []series
}

// growing names the works that growth measures, in order.
var growing = [...]string{"ldapsearch", "reader", "whole preview"}

// growth measures reading and previewing at sizes that grow threefold. The sizes take turns, so that a minute in which
// the machine is slower slows all of them.
func (b *bench) growth(ctx context.Context) error {
	sizes := []int{1_000, 3_000, 10_000, 30_000, 100_000}
	if b.full {
		sizes = append(sizes, 300_000, 1_000_000)
	}
	return b.withSizes(ctx, sizes, nil, func(all []size) error {
		for round := range rounds + 1 {
			for _, one := range all {
				for i, w := range one.works {
					s, err := w(ctx)
					if err != nil {
						return err
					}
					if round > 0 {
						one.took[i] = append(one.took[i], s)
					}
				}
			}
			b.say("round %d of %d through all sizes is done", round, rounds)
		}
		b.sizes = all
		return nil
	})
}

// withSizes starts a directory and a program for each size, uses all of them, and stops them.
func (b *bench) withSizes(ctx context.Context, sizes []int, started []size, use func([]size) error) error {
	if len(sizes) == 0 {
		return use(started)
	}
	return b.withDirectory(ctx, sizes[0], startTLS, func(d *slapd) error {
		connection, err := d.connection()
		if err != nil {
			return err
		}
		return inFolder(func(data string) error {
			return b.withProgram(data, func(p *program) error {
				preview := p.preview(ctx, "growth", map[string]any{"connection": connection}, d.entries)
				works := []work{d.ldapsearch(), b.reader(d), preview}
				started = append(started, size{d.entries, works, make([]series, len(works))})
				return b.withSizes(ctx, sizes[1:], started, use)
			})
		})
	})
}
