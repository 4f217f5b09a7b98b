package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rollcall/e2e/servers/ldapserver"
)

// TestListsAreFilteredAndCounted filters a preview, its sync, the Users List and their CSVs, and holds each against the
// whole list.
func TestListsAreFilteredAndCounted(t *testing.T) {
	t.Parallel()
	const people = 40
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(people)})
	p := account(t)
	p.must(201, "POST", "/v1/users", object{"address": "guard@other.example", "protected": true, "type": "group"})
	p.must(201, "POST", "/v1/users", object{"address": "gone@xn--mller-kva.example", "type": "shared"})
	p.must(200, "PUT", "/v1/settings", request(s, nil))
	preview := p.preview(object{})
	wantDone(t, preview)
	sync := p.sync(object{"previewId": preview.text("id"), "options": object{"removeAccounts": true,
		"removeScope": "all"}})
	wantDone(t, sync)
	for _, list := range []struct{ name, rows, export string }{
		{"preview", "/v1/previews/" + preview.text("id") + "/addresses",
			"/v1/previews/" + preview.text("id") + "/export"},
		{"sync", "/v1/syncs/" + sync.text("id") + "/changes", "/v1/syncs/" + sync.text("id") + "/export"},
		{"users", "/v1/users", "/v1/users/export"},
	} {
		t.Run(list.name, func(t *testing.T) {
			own := *p
			own.t = t
			own.filters(list.rows, list.export, list.name == "users")
		})
	}
	wantFacets(t, p, preview)
	wantTotals(p, p.list("/v1/users", nil))
	if got := p.list("/v1/syncs", url.Values{"trigger": {"manual"}, "state": {"done", "failed"}}); len(got) != 1 {
		t.Errorf("%d syncs by hand that ended, want 1", len(got))
	}
	if got := p.list("/v1/syncs", url.Values{"trigger": {"schedule"}}); len(got) != 0 {
		t.Errorf("%d syncs by the schedule, want none", len(got))
	}
}

// filters asks a list and its export for parts of it.
func (p *program) filters(list, export string, ofUsers bool) {
	p.t.Helper()
	all := p.list(list, nil)
	tests := map[string]struct {
		filter url.Values
		fits   func(object) bool
	}{
		"type":   {url.Values{"type": {"user"}}, func(r object) bool { return r.text("type") == "user" }},
		"types":  {url.Values{"type": {"group", "shared"}}, func(r object) bool { return r.text("type") != "user" }},
		"domain": {url.Values{"domain": {"Example.COM"}}, func(r object) bool { return domainOf(r) == "example.com" }},
		"domains": {url.Values{"domain": {"müller.example", "other.example"}},
			func(r object) bool { return domainOf(r) == "xn--mller-kva.example" || domainOf(r) == "other.example" }},
		"prefix": {url.Values{"prefix": {"U"}},
			func(r object) bool { return strings.HasPrefix(r.text("address"), "u") }},
		"prefix and type": {url.Values{"prefix": {"g"}, "type": {"shared", "user"}}, func(r object) bool {
			return strings.HasPrefix(r.text("address"), "g") && r.text("type") != "group"
		}},
		"prefix and domain": {url.Values{"prefix": {"gone@Müller.ex"}}, func(r object) bool {
			return strings.HasPrefix(r.text("address"), "gone@")
		}},
	}
	if !ofUsers {
		tests["reason"] = struct {
			filter url.Values
			fits   func(object) bool
		}{url.Values{"reason": {"not in the directory"}},
			func(r object) bool { return r.text("reason") == "not in the directory" }}
	}
	for name, test := range tests {
		want := addresses(slices.DeleteFunc(slices.Clone(all), func(r object) bool { return !test.fits(r) }))
		test.filter.Set("limit", "7")
		if got := addresses(p.list(list, test.filter)); !slices.Equal(got, want) {
			p.t.Errorf("%s: %v, want %v", name, got, want)
		}
		body := object{}
		for name, values := range test.filter {
			switch {
			case name == "limit" || name == "cursor":
			case len(values) == 1:
				body[name] = values[0]
			default:
				body[name] = values
			}
		}
		var printed []string
		for _, line := range p.csvOf(export, body) {
			printed = append(printed, line[0])
		}
		if !slices.Equal(printed, want) {
			p.t.Errorf("%s: the CSV has %v, want %v", name, printed, want)
		}
	}
	p.refusals(list, export)
}

// refusals asks for what cannot be, and goes on with the cursor of another filter.
func (p *program) refusals(list, export string) {
	p.t.Helper()
	for field, value := range map[string]string{"type": "dog", "domain": "exa mple", "prefix": "a\x01"} {
		p.wantField(field, "GET", list+"?"+url.Values{field: {value}}.Encode(), nil)
		p.wantField(field, "POST", export, object{field: value})
	}
	p.wantField("type", "POST", export, object{"type": []string{"user", "dog"}})
	p.wantField("domain", "POST", export, object{"domain": ""})
	first := p.must(200, "GET", list+"?limit=1&prefix=u", nil)
	next := url.Values{"limit": {"1"}, "prefix": {"us"}, "cursor": {first.text("next")}}
	if got := p.must(400, "GET", list+"?"+next.Encode(), nil); got.text("code") != "invalid_cursor" {
		p.t.Errorf("the cursor of another prefix: %v", got)
	}
}

// wantField fails unless the answer is a 422 about one field.
func (p *program) wantField(field, method, path string, body any) {
	p.t.Helper()
	got := p.must(422, method, path, body)
	if errors := got.objects("errors"); len(errors) != 1 || errors[0]["field"] != field {
		p.t.Errorf("%s %s %v: %v, want one error about %s", method, path, body, got, field)
	}
}

func domainOf(row object) string {
	return row.text("address")[strings.Index(row.text("address"), "@")+1:]
}

func addresses(rows []object) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.text("address"))
	}
	return out
}

// wantFacets holds the preview's facets against its rows.
func wantFacets(t *testing.T, p *program, preview object) {
	t.Helper()
	rows := p.list("/v1/previews/"+preview.text("id")+"/addresses", nil)
	for facet, of := range map[string]func(object) string{
		"type":   func(r object) string { return r.text("type") },
		"reason": func(r object) string { return r.text("reason") },
		"domain": domainOf,
	} {
		want := make(map[string]int)
		for _, r := range rows {
			if value := of(r); value != "" {
				want[value]++
			}
		}
		got := make(map[string]int)
		for _, v := range preview.objects("facets." + facet) {
			got[v.text("value")] = v.number("count")
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || len(want) == 0 {
			t.Errorf("facet %s is %v, want %v", facet, got, want)
		}
	}
}

// wantTotals follows the number of users through edits by hand.
func wantTotals(p *program, users []object) {
	p.t.Helper()
	want := len(users)
	total := func(when string) {
		p.t.Helper()
		got := p.must(200, "GET", "/v1/users?limit=1&prefix=nobody", nil)
		if got["total"] == nil || got.number("total") != want {
			p.t.Errorf("%s: total %v, want %d", when, got["total"], want)
		}
	}
	total("after the sync")
	p.must(201, "POST", "/v1/users", object{"address": "one@more.example"})
	want++
	total("after adding one")
	p.must(200, "PATCH", "/v1/users/one@more.example", object{"protected": true})
	total("after changing it")
	p.must(200, "PATCH", "/v1/users/one@more.example", object{"protected": false})
	p.must(204, "DELETE", "/v1/users/one@more.example", nil)
	want--
	total("after removing it")
	next := p.must(200, "GET", "/v1/users?limit=1", nil)
	later := p.must(200, "GET", "/v1/users?limit=1&cursor="+url.QueryEscape(next.text("next")), nil)
	if later["total"] != nil {
		p.t.Errorf("the second page has total %v", later["total"])
	}
}
