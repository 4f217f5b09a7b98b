package e2e

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/e2e/browser"
)

// TestPageTakesTheDemoAsTheReadmeSays does README's first step in each of its ways: by the button, and with the CA as
// it stands in exchange.json, as a chosen file, and as a dropped one.
func TestPageTakesTheDemoAsTheReadmeSays(t *testing.T) {
	t.Parallel()
	p := startProgram(t, t.TempDir())
	tab := openPage(t, p, "/import")
	tab.Select("Server Type", serverNames["groupwise"])
	tab.Click("button", "Fill in the demo directory")
	tab.Until(`document.getElementById('announcer').innerText === 'The demo directory is filled in'`)
	if got, want := tab.Value("textbox", "TCP Port"), strconv.Itoa(demoServer(t, p, "groupwise").Port); got != want {
		t.Errorf("the demo's port is %s, want %s", got, want)
	}
	checkAccessible(t, tab, "the demo directory")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Results Preview")

	raw, err := os.ReadFile(filepath.Join(p.data, "demo", "exchange.json"))
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(raw), `"caCertificate": "`)
	line, _, _ = strings.Cut(line, `"`)
	s := demoServer(t, p, "exchange")
	block, _ := pem.Decode([]byte(s.CACertificate))
	if !strings.Contains(line, `\n`) || block == nil {
		t.Fatalf("exchange.json has the CA %q", line)
	}
	tab.Click("link", "LDAP Import")
	tab.WaitFor("button", "Preview Users to Sync")
	fillConnection(tab, s)
	tab.Select("Server Type", serverNames["exchange"])
	file := func(content []byte, name string) string {
		return fmt.Sprintf(`(() => {
		  const bytes = Uint8Array.from(atob(%q), (c) => c.charCodeAt(0));
		  const data = new DataTransfer();
		  data.items.add(new File([bytes], %q));
		  return data;
		})()`, base64.StdEncoding.EncodeToString(content), name)
	}
	choose := func(content []byte, name string) {
		browser.Eval[bool](tab, `(() => {
		  const input = document.querySelector('input[type=file]');
		  input.files = `+file(content, name)+`.files;
		  return input.dispatchEvent(new Event('change', { bubbles: true }));
		})()`)
	}
	drop := func(content []byte, name string) {
		browser.Eval[bool](tab, `(() => {
		  const area = document.querySelector('textarea[placeholder^="-----BEGIN"]');
		  return !area.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: `+
			file(content, name)+` }));
		})()`)
	}
	choose([]byte("hello"), "hello.txt")
	tab.WaitText("hello.txt is no certificate")
	for _, way := range []struct {
		name string
		fill func()
	}{
		{"as it stands in exchange.json", func() { tab.Fill("CA Certificate", line) }},
		{"a PEM file that is chosen", func() { choose([]byte(s.CACertificate), "ca.pem") }},
		{"a DER file that is dropped", func() { drop(block.Bytes, "ca.cer") }},
	} {
		tab.Fill("CA Certificate", "")
		way.fill()
		tab.Until(`document.querySelector('textarea[placeholder^="-----BEGIN"]').value.includes('BEGIN CERT')`)
		tab.Click("button", "Preview Users to Sync")
		tab.WaitFor("button", "Export User Preview to .csv")
		if got := p.list("/v1/previews", nil)[0].text("settings.connection.caCertificate"); got !=
			strings.TrimSpace(s.CACertificate) {
			t.Errorf("%s: the preview has the CA %q", way.name, got)
		}
		tab.Click("link", "LDAP Import")
		tab.WaitFor("button", "Preview Users to Sync")
	}
	if config := p.must(200, "GET", "/config.json", nil); config.at("demo") != true {
		t.Errorf("the configuration is %v", config)
	}
}

// TestPageTakesPastedTexts pastes numbers with spaces around them, and makes the API refuse what was typed: no name of
// the API's shows.
func TestPageTakesPastedTexts(t *testing.T) {
	t.Parallel()
	tab := openPage(t, account(t), "/import")
	tab.ExpectProblem("status of 422")
	tab.Fill("LDAP Server", " dc1.example.com ")
	tab.Fill("Username", "reader@example.com")
	tab.Fill("Password", "x")
	tab.Fill("TCP Port", " 10389")
	tab.Click("textbox", "Username")
	if got := tab.Value("textbox", "TCP Port"); got != "10389" {
		t.Errorf("a pasted \" 10389\" became %q", got)
	}
	tab.Fill("LDAP Server", "ldaps://dc1.example.com")
	tab.Fill("TCP Port", "0")
	tab.Check("checkbox", "Apply Advanced Settings", true)
	tab.Fill("Trusted Certificate", "sha1:00")
	tab.Fill("Search Base", strings.Repeat("x", 4097))
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("fields need another look")
	for _, word := range []string{"useSSL", "trustedCertificate", "caCertificate", "searchBase", "expected", ">="} {
		if text := tab.Text(); strings.Contains(text, word) {
			t.Errorf("the page says %q: %q", word, text)
		}
	}
	if got := tab.FieldError("textbox", "TCP Port"); !strings.Contains(got, "1") {
		t.Errorf("the error at the port is %q", got)
	}
}

// What the first view may take on a slow network: with the configuration and the settings, and 0.6 s less on a machine
// that has nothing else to do.
const (
	mostRequestsAtStart = 12
	longestStart        = 5 * time.Second
)

// TestPageStartsOnASlowNetwork loads the page at 800 ms a request and 15 kB/s through a server with HTTP/2, as
// CloudFront is one: local is never far away. A machine that is busy with other tests gets three tries.
func TestPageStartsOnASlowNetwork(t *testing.T) {
	p := account(t)
	onLocalOnly(t)
	near := openPage(t, p, "/overview") // starts Chromium
	near.WaitText("No job is saved yet")
	base := overHTTP2(t, p)
	for place, text := range map[string]string{"": "No job is saved yet", "import": "Connection Settings"} {
		took := time.Duration(math.MaxInt64)
		for try := 0; try < 3 && took > longestStart; try++ {
			took = min(took, startSlowly(t, p, base+"/#/"+place, text))
		}
		if took > longestStart {
			t.Errorf("#/%s: the first view came after %s, later than %s", place, took, longestStart)
		}
	}
}

// startSlowly loads a place of the page until a text shows, and returns how long that took.
func startSlowly(t *testing.T, p *program, url, text string) time.Duration {
	t.Helper()
	tab := chromium.Tab(t)
	tab.TrustAll()
	tab.Header("X-Rollcall-Account", p.account)
	tab.Slow(800*time.Millisecond, 15_000)
	tab.Open(url)
	tab.WaitText(text)
	raw := browser.Eval[string](tab, `JSON.stringify({ at: performance.now(),
	  painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
	  files: performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
	    .map(({ name, transferSize, nextHopProtocol }) => ({ name, transferSize, nextHopProtocol })) })`)
	var got struct {
		At, Painted float64
		Files       []struct {
			Name, NextHopProtocol string
			TransferSize          int
		}
	}
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, f := range got.Files {
		total += f.TransferSize
		if f.NextHopProtocol != "h2" {
			t.Errorf("%s came by %q", f.Name, f.NextHopProtocol)
		}
	}
	t.Logf("%s: something after %.1f s, the first view after %.1f s, %d requests, %d bytes", url, got.Painted/1000,
		got.At/1000, len(got.Files), total)
	if len(got.Files) > mostRequestsAtStart {
		t.Errorf("%s starts with %d requests, more than %d: %v", url, len(got.Files), mostRequestsAtStart, got.Files)
	}
	return time.Duration(got.At * float64(time.Millisecond))
}

// overHTTP2 serves a program through TLS and HTTP/2 too.
func overHTTP2(t *testing.T, p *program) string {
	t.Helper()
	proxy := passTo(t, p.base, func(r *httputil.ProxyRequest) {
		// The program takes requests from pages of its own only, and this is one under another name.
		r.Out.Header.Del("Sec-Fetch-Site")
		r.Out.Header.Set("Accept-Encoding", r.In.Header.Get("Accept-Encoding"))
	})
	server := httptest.NewUnstartedServer(proxy)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}
