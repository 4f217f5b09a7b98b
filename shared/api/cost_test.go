package api_test

import (
	"bytes"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/shared/api"
)

// bodySize is what the bodies of the comparison have in bytes, a little less than the most that a request may have.
const bodySize = 500 << 10

// repeated fills a body of about size bytes: item gives the i-th item between before and after.
func repeated(size int, before, after string, item func(i int) string) string {
	var b strings.Builder
	b.WriteString(before)
	for i := 0; b.Len() < size-len(after); i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(item(i))
	}
	b.WriteString(after)
	return b.String()
}

// always gives the same item each time.
func always(text string) func(int) string { return func(int) string { return text } }

// validBody has exclusions that make up the size, at most as many as the settings take.
func validBody(size int) string {
	const shortest = len(`"user00000@example.com",`)
	pad := strings.Repeat("x", max(size/10000-shortest, 0))
	var exclude []string
	for i := range (size - 100) / (shortest + len(pad)) {
		exclude = append(exclude, fmt.Sprintf(`"user%05d%s@example.com"`, i, pad))
	}
	return `{"advanced":{"exclude":[` + strings.Join(exclude, ",") + `]},"options":{"removalLimit":{"percent":10}}}`
}

// hostileBodies are bodies that cost more than they look like.
func hostileBodies(size int) map[string]string {
	deep := strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000)
	numbered := func(format string) func(int) string {
		return func(i int) string { return fmt.Sprintf(format, i) }
	}
	return map[string]string{
		"unknown keys":         repeated(size, `{`, `}`, numbered(`"key%d":1`)),
		"short unknown keys":   repeated(size, `{`, `}`, numbered(`"%x":1`)),
		"one key again":        repeated(size, `{`, `}`, always(`"a":1`)),
		"nested unknown keys":  repeated(size, `{"advanced":{"attributes":{`, `}}}`, numbered(`"key%d":{}`)),
		"objects in a list":    repeated(size, `{"advanced":{"exclude":[`, `]}}`, always(`{"a":{}}`)),
		"deep objects":         strings.Repeat(`{"a":`, size/6) + `1` + strings.Repeat(`}`, size/6),
		"deep lists":           strings.Repeat(`[`, size/2) + strings.Repeat(`]`, size/2),
		"deep, allowed":        repeated(size, `{"x":[`, `]}`, always(deep)),
		"lists in a list":      repeated(size, `{"advanced":{"exclude":[`, `]}}`, always(`[]`)),
		"numbers in a list":    repeated(size, `{"advanced":{"exclude":[`, `]}}`, always(`1`)),
		"empty exclusions":     repeated(size, `{"advanced":{"exclude":[`, `]}}`, always(`""`)),
		"exclusions, at most":  repeated(min(size, 10000*8+40), `{"advanced":{"exclude":[`, `]}}`, always(`"a@b@c"`)),
		"wrong types":          repeated(size, `{"advanced":{"include":[`, `]}}`, always(`"users"`)),
		"wrong domains":        repeated(size, `{"advanced":{"acceptedDomains":[`, `]}}`, always(`"-"`)),
		"wrong attributes":     repeated(size, `{"advanced":{"attributes":{"primary":[`, `]}}}`, always(`"-"`)),
		"a long string":        `{"connection":{"serverType":"` + strings.Repeat("x", size-100) + `","host":"a"}}`,
		"a long escaped host":  `{"connection":{"host":"` + strings.Repeat(`\u0001`, (size-100)/6) + `"}}`,
		"a long filter":        `{"advanced":{"filter":"` + strings.Repeat(`(`, size-100) + `"}}`,
		"a long search base":   `{"advanced":{"searchBase":"` + strings.Repeat(`x=y,`, (size-100)/4) + `"}}`,
		"a long PEM":           `{"connection":{"caCertificate":"` + strings.Repeat(`-----BEGIN `, size/12) + `"}}`,
		"a long number":        `{"connection":{"port":` + strings.Repeat("1", size-100) + `}}`,
		"unknown keys of case": repeated(size, `{`, `}`, numbered(`"OPTION%d":1`)),
		"not JSON at its end":  repeated(size, `{`, `]`, numbered(`"key%d":1`)),
	}
}

// mostTimes is how much more than a valid body of its size a hostile one may cost.
const mostTimes = 5

// TestHostileBodiesAllocateLittle holds what BenchmarkRequest measures, by what does not depend on the machine.
func TestHostileBodiesAllocateLittle(t *testing.T) { // not parallel: other tests allocate too
	a := serve(nil, admin, new(bytes.Buffer))
	for _, size := range []int{16 << 10, 80 << 10, bodySize} {
		limit := mostTimes * allocated(a, validBody(size))
		for name, body := range hostileBodies(size) {
			if got := allocated(a, body); got > limit {
				t.Errorf("%s in %d KiB allocates %d bytes, more than %d times a valid body's: %d",
					name, size>>10, got, mostTimes, limit)
			}
		}
	}
}

// allocated returns how many bytes a request allocates.
func allocated(a *api.API, body string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call(a, "POST", "/v1/things", "application/json", body)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// BenchmarkRequest shows what hostile bodies cost beside a valid one of their size: times-valid is at most mostTimes.
// It counts processor time, which says more than the clock on a busy machine.
func BenchmarkRequest(b *testing.B) {
	for _, size := range []int{16 << 10, 80 << 10, bodySize} {
		bodies, valid := hostileBodies(size), 0.0
		for _, name := range append([]string{"valid"}, slices.Sorted(maps.Keys(bodies))...) {
			body, hostile := bodies[name]
			if !hostile {
				body = validBody(size)
			}
			b.Run(fmt.Sprintf("%d KiB/%s", size>>10, name), func(b *testing.B) {
				a := serve(nil, admin, new(bytes.Buffer))
				start := processorTime()
				for b.Loop() {
					call(a, "POST", "/v1/things", "application/json", body)
				}
				cost := float64(processorTime()-start) / float64(b.N) / float64(len(body))
				if !hostile {
					valid = cost
				}
				b.ReportMetric(cost, "cpu-ns/B")
				b.ReportMetric(cost/valid, "times-valid")
			})
		}
	}
}

// processorTime is what the process has used so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
