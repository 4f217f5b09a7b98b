package syncs

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/importer"
)

// MatchInput are the conditions of a change (RFC 9110, section 13.1).
type MatchInput struct {
	IfMatch     string `header:"If-Match" maxLength:"1024" doc:"The ETags that this may change, or * for any"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"1024" doc:"The ETags that this must not change, or *: only where there is nothing yet"`
}

// Resolve lists the headers that are malformed.
func (in *MatchInput) Resolve(huma.Context) (wrong []error) {
	for _, h := range [][2]string{{"If-Match", in.IfMatch}, {"If-None-Match", in.IfNoneMatch}} {
		if _, err := parseETags(h[1]); err != nil {
			wrong = append(wrong, &huma.ErrorDetail{Location: "header." + h[0], Message: err.Error()})
		}
	}
	return wrong
}

// match is the condition on the version that is changed, nil for none. Resolve has refused what cannot be parsed.
func (in *MatchInput) match() importer.Match {
	if in.IfMatch == "" && in.IfNoneMatch == "" {
		return nil
	}
	wanted, _ := parseETags(in.IfMatch)
	unwanted, _ := parseETags(in.IfNoneMatch)
	return func(version int64) bool {
		return (in.IfMatch == "" || wanted.match(version, false)) &&
			(in.IfNoneMatch == "" || !unwanted.match(version, true))
	}
}

// etag is the ETag of a version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// etags is a list of ETags as it was sent; any stands for all of them.
type etags struct {
	any  bool
	list []string
}

// match reports whether a version, 0 for nothing, is among the ETags. A weak one counts only where weak says so.
func (e etags) match(version int64, weak bool) bool {
	return version != 0 &&
		(e.any || slices.Contains(e.list, etag(version)) || weak && slices.Contains(e.list, "W/"+etag(version)))
}

var errETags = errors.New(`must be *, or ETags as this API gives them, in their quotation marks: "1", "2"`)

// parseETags reads a header of ETags (RFC 9110, sections 5.6.1 and 8.8.3).
func parseETags(header string) (e etags, err error) {
	if strings.Trim(header, " \t") == "*" {
		return etags{any: true}, nil
	}
	for rest := header; ; {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			break
		}
		tag := rest
		opaque, quoted := strings.CutPrefix(strings.TrimPrefix(tag, "W/"), `"`)
		length := strings.IndexByte(opaque, '"')
		if !quoted || length < 0 || strings.ContainsFunc(opaque[:length], outsideETag) {
			return etags{}, errETags
		}
		rest = strings.TrimLeft(opaque[length+1:], " \t")
		if rest != "" && rest[0] != ',' {
			return etags{}, errETags
		}
		e.list = append(e.list, tag[:len(tag)-len(opaque)+length+1])
	}
	if len(e.list) == 0 && header != "" {
		return etags{}, errETags
	}
	return e, nil
}

func outsideETag(r rune) bool { return r <= ' ' || r == 0x7f }
