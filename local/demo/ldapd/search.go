package ldapd

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// oidPaging is the control of RFC 2696.
const oidPaging = "1.2.840.113556.1.4.319"

// Scopes (RFC 4511, 4.5.1.2).
const (
	scopeBase = 0
	scopeOne  = 1
	scopeSub  = 2
)

// searchRequest is a SearchRequest taken apart.
type searchRequest struct {
	baseDN     string
	baseKey    string
	scope      int64
	sizeLimit  int64
	typesOnly  bool
	filter     filter
	attributes []string
	// digest stands for all of the request, so that a cookie belongs to one search.
	digest uint64
}

func parseSearch(op *ber.Packet) (searchRequest, error) {
	if len(op.Children) < 8 {
		return searchRequest{}, fmt.Errorf("%w: a search has %d parts", errProtocol, len(op.Children))
	}
	q := searchRequest{baseDN: octets(op.Children[0])}
	var err error
	if q.scope, err = integer(op.Children[1]); err != nil || q.scope < scopeBase || q.scope > scopeSub {
		return q, fmt.Errorf("%w: unknown scope", errProtocol)
	}
	if q.sizeLimit, err = integer(op.Children[3]); err != nil {
		return q, err
	}
	q.typesOnly = octets(op.Children[5]) != "\x00"
	if q.filter, err = compileFilter(op.Children[6]); err != nil {
		return q, err
	}
	for _, a := range op.Children[7].Children {
		q.attributes = append(q.attributes, octets(a))
	}
	h := fnv.New64a()
	h.Write(op.Bytes())
	q.digest = h.Sum64()
	q.baseKey, err = dnKey(q.baseDN)
	return q, err
}

// search answers a SearchRequest: entries, references, then the result.
func (n *session) search(m message) error {
	q, err := parseSearch(m.op)
	if err != nil {
		code := CodeProtocolError
		if errors.Is(err, ErrDN) {
			code = CodeInvalidDNSyntax
		}
		return n.reply(m, opSearchDone, Result{Code: code, Message: err.Error()})
	}
	paging, refusal := pagingOf(m.controls)
	if refusal != nil {
		return n.reply(m, opSearchDone, *refusal)
	}
	found, refusal := n.find(q)
	if refusal != nil {
		return n.reply(m, opSearchDone, *refusal)
	}
	page, done, refusal := paging.cut(found, q)
	if refusal != nil {
		return n.reply(m, opSearchDone, *refusal)
	}
	for _, r := range page {
		if err := n.write(envelope(m.id, encodeEntry(r, q))); err != nil {
			return err
		}
	}
	if err := n.references(m, q, paging); err != nil {
		return err
	}
	return n.write(envelope(m.id, encodeResult(opSearchDone, done.result), done.controls...))
}

// find returns the records that match, in the order of the file, or the result that refuses the search.
func (n *session) find(q searchRequest) ([]*record, *Result) {
	s := n.server
	if q.baseKey == "" && q.scope == scopeBase {
		if q.filter(s.rootDSE) == isTrue {
			return []*record{s.rootDSE}, nil
		}
		return nil, nil
	}
	if n.boundDN == "" {
		return nil, &s.config.Behaviour.BindFirst
	}
	if s.byKey[q.baseKey] == nil && (q.baseKey != "" || !s.config.Behaviour.SearchFromRoot) {
		return nil, s.noSuchObject(q.baseKey)
	}
	var found []*record
	for _, r := range s.records {
		if r.within(q) && q.filter(r) == isTrue {
			found = append(found, r)
		}
	}
	return found, nil
}

// noSuchObject names the nearest superior that exists (RFC 4511, 4.1.9).
func (s *Server) noSuchObject(key string) *Result {
	result := &Result{Code: CodeNoSuchObject, Message: s.config.Behaviour.NoSuchObject}
	for key != "" {
		key = superior(key)
		if r := s.byKey[key]; r != nil {
			result.MatchedDN = r.entry.DN
			break
		}
	}
	return result
}

func (r *record) within(q searchRequest) bool {
	switch q.scope {
	case scopeBase:
		return r.key == q.baseKey
	case scopeOne:
		return superior(r.key) == q.baseKey && r.key != ""
	}
	return r.key == q.baseKey || q.baseKey == "" || strings.HasSuffix(r.key, rdnEnd+q.baseKey)
}

// references writes the continuation references of a subtree search at the domain root, once, with its first page.
func (n *session) references(m message, q searchRequest, paging pagingRequest) error {
	if q.scope != scopeSub || q.baseKey == "" || q.baseKey != n.server.referenceBase || paging.cookie != "" {
		return nil
	}
	for _, url := range n.server.config.References {
		op := operation(opSearchReference)
		op.AppendChild(octetString(url))
		if err := n.write(envelope(m.id, op)); err != nil {
			return err
		}
	}
	return nil
}

// encodeEntry makes a SearchResultEntry with the attributes that were asked for (RFC 4511, 4.5.1.8): all of them for
// an empty list or "*", none for "1.1", and operational ones are kept like any other.
func encodeEntry(r *record, q searchRequest) *ber.Packet {
	all := len(q.attributes) == 0 || slices.Contains(q.attributes, "*")
	list := ber.NewSequence("attributes")
	for _, a := range r.entry.Attributes {
		wanted := all || slices.ContainsFunc(q.attributes, func(name string) bool {
			return strings.EqualFold(name, a.Name)
		})
		if !wanted {
			continue
		}
		values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "vals")
		if !q.typesOnly {
			for _, v := range a.Values {
				values.AppendChild(octetString(v))
			}
		}
		attribute := ber.NewSequence("attribute")
		attribute.AppendChild(octetString(a.Name))
		attribute.AppendChild(values)
		list.AppendChild(attribute)
	}
	op := operation(opSearchEntry)
	op.AppendChild(octetString(r.entry.DN))
	op.AppendChild(list)
	return op
}

// pagingRequest is the request's paging control; size is 0 where there is none.
type pagingRequest struct {
	present bool
	size    int64
	cookie  string
}

// pagingOf finds the paging control. A critical control that the server does not know refuses the search.
func pagingOf(controls []control) (pagingRequest, *Result) {
	var p pagingRequest
	for _, c := range controls {
		if c.oid != oidPaging {
			if c.critical {
				return p, &Result{Code: CodeUnavailableCriticalExtension, Message: "unknown control " + c.oid}
			}
			continue
		}
		value, err := ber.DecodePacketErr(c.value)
		if err != nil || len(value.Children) != 2 {
			return p, &Result{Code: CodeProtocolError, Message: "malformed paging control"}
		}
		p.present, p.cookie = true, octets(value.Children[1])
		if p.size, err = integer(value.Children[0]); err != nil || p.size < 0 {
			return p, &Result{Code: CodeProtocolError, Message: "malformed page size"}
		}
	}
	return p, nil
}

// searchDone is the end of an answer.
type searchDone struct {
	result   Result
	controls []*ber.Packet
}

// cut returns the page that was asked for. The entries never change, so a cookie is the offset of the next page and
// the digest of the search it belongs to; page size 0 ends a paged search (RFC 2696, 3).
func (p pagingRequest) cut(found []*record, q searchRequest) ([]*record, searchDone, *Result) {
	total := len(found)
	offset := 0
	if p.cookie != "" {
		at, digest, _ := strings.Cut(p.cookie, ".")
		n, err := strconv.Atoi(at)
		if err != nil || n < 0 || n > total || digest != strconv.FormatUint(q.digest, 36) {
			return nil, searchDone{}, &Result{Code: CodeUnwillingToPerform,
				Message: "the cookie belongs to no search of this kind"}
		}
		offset = n
	}
	end := total
	if p.present {
		end = min(total, offset+int(min(p.size, int64(total))))
	}
	var done searchDone
	if q.sizeLimit > 0 && int64(end-offset) > q.sizeLimit {
		end = offset + int(q.sizeLimit)
		done.result.Code = CodeSizeLimitExceeded
	}
	if p.present {
		cookie := ""
		if end < total && p.size > 0 && done.result.Code == CodeSuccess {
			cookie = strconv.Itoa(end) + "." + strconv.FormatUint(q.digest, 36)
		}
		done.controls = []*ber.Packet{encodePaging(int64(total), cookie)}
	}
	return found[offset:end], done, nil
}

func encodePaging(total int64, cookie string) *ber.Packet {
	value := ber.NewSequence("realSearchControlValue")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, total, "size"))
	value.AppendChild(octetString(cookie))
	c := ber.NewSequence("control")
	c.AppendChild(octetString(oidPaging))
	c.AppendChild(octetString(string(value.Bytes())))
	return c
}
