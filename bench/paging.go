package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// paging measures the pages of a large preview beside the first page of a small one, the steps of a search in it, and
// its CSV.
func (b *bench) paging(ctx context.Context, p *program, connection map[string]any, entries int) error {
	const account = "pages"
	large, err := p.finish(ctx, account, "/v1/previews", map[string]any{"connection": connection})
	if err != nil {
		return err
	}
	few := "(&" + filter + "(|(uid=user0000*)(uid=user0001*)(uid=user0002*)(uid=user0003*)(uid=user0004*)))"
	small, err := p.finish(ctx, account, "/v1/previews",
		map[string]any{"connection": connection, "advanced": map[string]any{"filter": few}})
	if err != nil {
		return err
	}
	rows := pages{program: p, account: account, preview: large.ID}
	if err := rows.sample(ctx); err != nil {
		return err
	}
	first := pages{program: p, account: account, preview: small.ID}
	for range rows.took {
		if _, err := first.page(ctx, nil, 100); err != nil {
			return err
		}
	}
	count := large.Summary.Addresses
	r := row{
		work: fmt.Sprintf("any of %d pages of a preview of %s rows", len(rows.took), thousands(count)),
		peer: fmt.Sprintf("the first page of a preview of %s rows", thousands(small.Summary.Addresses)),
		ours: samples(rows.took), base: samples(first.took),
	}
	usual := r.base.median(wall)
	r.goals = []goal{
		{what: "p99 of the pages to the first page's median", unit: "×", got: p99(rows.took) / usual, most: 5},
		{what: "p99 of each page's first request", unit: "×", got: p99(rows.firsts) / usual, shown: true},
		{what: "that of the first page", unit: "×", got: p99(first.firsts) / usual, shown: true},
	}
	b.add(r)
	if err := b.searching(ctx, rows, count); err != nil {
		return err
	}
	return b.exporting(ctx, p, account, large, entries)
}

func p99(values []float64) float64 { return quantile(values, 0.99) }

// samples are times in seconds as a series.
func samples(seconds []float64) series {
	out := make(series, len(seconds))
	for i := range seconds {
		out[i].wall = duration(seconds[i])
	}
	return out
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// stepLimit is what one step of a search may take, in milliseconds.
const stepLimit = 200

// pages asks for pages of one preview and remembers how long they took, in seconds: the median of each page's
// requests, and the first of them.
type pages struct {
	*program
	account, preview string
	took, firsts     []float64
}

// rowsPage is what a page's answer is read for.
type rowsPage struct {
	Items []struct {
		PrimaryAddress string `json:"primaryAddress"`
	} `json:"items"`
	Next string `json:"next"`
}

// page asks for one page, as often as there are rounds: what else the machine does in a moment is not the page's.
func (p *pages) page(ctx context.Context, query url.Values, limit int) (answer rowsPage, err error) {
	var took []float64
	for range rounds {
		var seconds float64
		if answer, seconds, err = p.ask(ctx, query, limit); err != nil {
			return answer, err
		}
		took = append(took, seconds)
	}
	p.took, p.firsts = append(p.took, quantile(took, 0.5)), append(p.firsts, took[0])
	return answer, nil
}

// ask asks for one page, once, and returns how many seconds its answer took, without its decoding.
func (p *pages) ask(ctx context.Context, query url.Values, limit int) (answer rowsPage, seconds float64, err error) {
	asked := url.Values{"limit": {fmt.Sprint(limit)}}
	for name, values := range query {
		asked[name] = values
	}
	start := time.Now()
	data, err := p.fetch(ctx, p.account, http.MethodGet, "/v1/previews/"+p.preview+"/addresses?"+asked.Encode(), nil)
	seconds = time.Since(start).Seconds()
	if err != nil {
		return answer, seconds, err
	}
	return answer, seconds, json.Unmarshal(data, &answer)
}

// pagesPerFilter is how many pages of each filter are measured; between two of them some are skipped.
const pagesPerFilter = 40

// sample asks for pages by change, kind, type and primary, near the start and far from it.
func (p *pages) sample(ctx context.Context) error {
	var primaries []string
	for _, filter := range []url.Values{
		{}, {"change": {"create"}}, {"change": {"skipped"}}, {"kind": {"primary"}}, {"kind": {"alias"}},
		{"type": {"user"}}, {"type": {"shared"}}, {"type": {"resource"}}, {"type": {"group", "contact"}},
		{"change": {"create"}, "kind": {"alias"}, "type": {"shared"}},
	} {
		query := url.Values{}
		for name, values := range filter {
			query[name] = values
		}
		for range pagesPerFilter {
			page, err := p.page(ctx, query, 100)
			if err != nil {
				return err
			}
			if len(page.Items) > 0 {
				primaries = append(primaries, page.Items[len(page.Items)/2].PrimaryAddress)
			}
			if page.Next == "" {
				break
			}
			if err := p.skip(ctx, query, page.Next); err != nil {
				return err
			}
		}
	}
	for _, primary := range primaries {
		page, err := p.page(ctx, url.Values{"primary": {primary}}, 100)
		if err != nil {
			return err
		}
		if len(page.Items) == 0 {
			return fmt.Errorf("the preview has no rows of %s", primary)
		}
	}
	return nil
}

// skip goes some thousand rows on, without counting the time.
func (p *pages) skip(ctx context.Context, query url.Values, cursor string) error {
	for range 5 {
		query.Set("cursor", cursor)
		page, _, err := p.ask(ctx, query, 1000)
		if err != nil {
			return err
		}
		if page.Next == "" {
			break
		}
		cursor = page.Next
	}
	query.Set("cursor", cursor)
	return nil
}

// searching measures the steps of a search that finds nothing: no step of another takes longer.
func (b *bench) searching(ctx context.Context, rows pages, count int) error {
	query := url.Values{"q": {"no such text"}}
	rows.took, rows.firsts = nil, nil
	for {
		page, err := rows.page(ctx, query, 100)
		if err != nil {
			return err
		}
		if page.Next == "" {
			break
		}
		query.Set("cursor", page.Next)
	}
	if len(rows.took) < 2 {
		return fmt.Errorf("the search took %d steps; a step of it was to be measured", len(rows.took))
	}
	const work = "one step of a substring search in %s rows, of %d to the end (the longest)"
	b.add(row{
		work: fmt.Sprintf(work, thousands(count), len(rows.took)), ours: samples(rows.took),
		goals: []goal{{what: "longest", unit: " ms", got: 1000 * quantile(rows.took, 1), most: stepLimit}},
	})
	return nil
}

// The goals of an export: of so many rows or more, its time beside that of its peer, and its memory in MB, whatever
// its rows.
const (
	exportRows = 1_000_000
	exportMost = 1.5
	exportMB   = 96
)

// exporting measures the whole export of a preview, from the stored plan to the file on disk, beside encoding/csv
// writing as many rows from memory to a file on disk.
func (b *bench) exporting(ctx context.Context, p *program, account string, preview run, entries int) error {
	const work = "export of a preview of %s rows: stored plan to finished file"
	r := row{
		work: fmt.Sprintf(work, thousands(preview.Summary.Addresses)),
		peer: "encoding/csv, as many rows from memory, to a file that is synced too",
	}
	ours := func(ctx context.Context) (sample, error) {
		return p.timed(func() error {
			var export struct{ State string }
			err := p.call(ctx, account, http.MethodPost, "/v1/previews/"+preview.ID+"/export", nil, &export)
			if err == nil && export.State != "done" {
				err = fmt.Errorf("the export of %d entries is %s after its request", entries, export.State)
			}
			return err
		})
	}
	peer := func(ctx context.Context) (sample, error) {
		return b.library(ctx, "encoding-file", fmt.Sprint(preview.Summary.Addresses))
	}
	if err := b.alternate(ctx, &r, rounds, ours, peer); err != nil {
		return err
	}
	r.ratio("wall", wall, exportMost)
	// A smaller one is mostly what any request costs, which is shown, but not held to the goal.
	r.goals[0].shown = preview.Summary.Addresses < exportRows
	r.memory(exportMB)
	b.add(r)
	return nil
}
