package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// maxReferences bounds how many references are remembered.
const maxReferences = 100

// Read reads a directory from the first of its servers that takes the sign-in; a read that has begun never goes on at
// another one. onStep is told of each step as it ends, the failing one included; onEntry gets each entry,
// complete, and its first error ends the read. An error other than onEntry's and the context's is an *Error. Whenever
// the error is not nil, what onEntry got is not all there is.
func (r *Reader) Read(ctx context.Context, to settings.Connection, q Query, onStep func(run.Step),
	onEntry func(*Entry) error) (Info, error) {
	s := r.newSession(to, onStep)
	defer s.close()
	if err := s.prepare(ctx, q); err != nil {
		return s.info, err
	}
	err := s.search(ctx, q, onEntry, func(ctx context.Context, p *pager) error {
		err := p.read(ctx, q, onEntry)
		if err == nil && q.Since == nil && s.foundNothing(q) {
			s.info.Hint = s.hint(q)
		}
		return err
	})
	return s.info, err
}

func (r *Reader) newSession(to settings.Connection, onStep func(run.Step)) *session {
	to = to.Normalised()
	return &session{c: r.c, inUse: r.inUse, to: to, hosts: to.Host, onStep: onStep}
}

// prepare goes through the steps up to the search.
func (s *session) prepare(ctx context.Context, q Query) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.step(ctx, StepBase, func(ctx context.Context) (string, error) {
		detail, err := s.findBase(ctx, q)
		switch {
		case err != nil:
			return "", err
		case q.Since != nil:
			return detail, s.beginLook(q.Since)
		}
		return detail, s.resolveNames(ctx, q)
	})
}

func (s *session) newBudget(memory func() int64) budget {
	return budget{limits: &s.c, all: s.inUse, memory: memory}
}

// search does the searches of the last step: its deadline is an idle one.
func (s *session) search(
	ctx context.Context, q Query, onEntry func(*Entry) error, do func(context.Context, *pager) error,
) error {
	start := time.Now()
	s.conn.SetDeadline(time.Time{})
	p := &pager{
		session: s, onEntry: onEntry, attributes: s.attributes, budget: s.newBudget(q.Memory),
		stream: &stream{conn: s.conn, idle: s.c.IdleTimeout, maxMessage: s.c.MaxMessage, left: s.c.MaxBytes,
			socket: s.socket},
	}
	defer p.release()
	ctx, cancel := context.WithTimeoutCause(ctx, s.c.SearchTimeout,
		incomplete("it took longer than %s", s.c.SearchTimeout))
	defer cancel()
	unwatch := context.AfterFunc(ctx, func() { s.conn.SetDeadline(time.Unix(1, 0)) })
	err := do(ctx, p)
	unwatch()
	p.stream.leave()
	detail := fmt.Sprintf("%d entries", s.info.Entries)
	if len(s.info.References) > 0 {
		detail += "; " + s.referenceNote()
		s.info.Notes = append(s.info.Notes, s.referenceNote())
	}
	if err != nil {
		err = p.explain(ctx, err)
		detail = messageOf(err)
	}
	s.report(StepSearch, start, detail, err)
	return err
}

func (s *session) referenceNote() string {
	shown := s.info.References
	more := ""
	if len(shown) > 3 {
		shown, more = shown[:3], " …"
	}
	return fmt.Sprintf("the server refers to other parts of the directory, which were not read (%s%s); "+
		"to leave them out, search below an OU, "+
		"and to read them, use the global catalog (port 3268, or 3269 with SSL)", strings.Join(shown, ", "), more)
}

// pager runs one search, page by page.
type pager struct {
	*session
	stream     *stream
	parser     entryParser
	onEntry    func(*Entry) error
	attributes []string
	budget
	// held are the entries of the page whose attributes came in ranges, and heldBytes is about what they take of
	// memory.
	held      []*Entry
	heldBytes int
	// pageEntries and pageFirst are the number of entries of the page at hand and the DN of its first.
	pageEntries int
	pageFirst   []byte
	// refused is the result that the server refused the first page with, 0 where it did not.
	refused int
	// callback is the error that onEntry ended the read with.
	callback error
}

// run reads all that the query asks for.
func (p *pager) run(ctx context.Context) error {
	request := searchRequest{base: p.info.Base, scope: ldap.ScopeWholeSubtree, filter: p.info.Filter,
		attributes: p.attributes, pageSize: p.c.PageSize}
	_, err := p.pages(ctx, &request, 0)
	if err != nil || p.refused == 0 {
		return err
	}
	if note := p.pagingNote(request.pageSize); !slices.Contains(p.info.Notes, note) {
		p.info.Notes = append(p.info.Notes, note)
	}
	return nil
}

// incomplete returns an incomplete read with a reason that this package found.
func incomplete(format string, args ...any) error {
	return &Error{Code: CodeIncompleteRead, Step: StepSearch,
		Message: "The directory was not read to its end: " + fmt.Sprintf(format, args...) + ". Nothing is changed."}
}

// page sends one request and takes its entries up to the result.
func (p *pager) page(ctx context.Context, request searchRequest) (done result, cookie []byte, found bool, err error) {
	p.pageEntries, p.pageFirst = 0, nil
	if err := p.stream.send(request); err != nil {
		return done, nil, false, err
	}
	for {
		m, err := p.message(ctx)
		if err != nil {
			return done, nil, false, err
		}
		switch m.tag {
		case tagEntry:
			if err := p.take(m.op); err != nil {
				return done, nil, false, err
			}
		case tagReference:
			p.reference(m.op)
		case tagDone:
			if done, _, err = parseResult(m.op); err != nil {
				return done, nil, false, err
			}
			cookie, found, err = pagingCookie(m.controls)
			// It shares the stream's buffer, which the answers to completeRanges' questions are read into.
			return done, bytes.Clone(cookie), found, err
		default:
			return done, nil, false, fmt.Errorf("%w: tag %#x in answer to a search", errMalformed, m.tag)
		}
	}
}

// message reads the next message of the search under way.
func (p *pager) message(ctx context.Context) (message, error) {
	m, err := p.stream.next(ctx)
	switch {
	case err != nil:
		return m, err
	case m.id == 0 && m.tag == tagExtended:
		// A notice of disconnection (RFC 4511, 4.4.1).
		notice, _, err := parseResult(m.op)
		if err != nil {
			return m, err
		}
		return m, incomplete("the server ended the connection (result %d: %s)", notice.code, notice.diagnostic)
	case m.id != p.stream.id:
		// No request is ever given up, so this may be an entry of the search whose id was damaged on the way.
		return m, incomplete("the server sent message %d in place of an answer to message %d", m.id, p.stream.id)
	}
	return m, nil
}

// take hands one entry on, or holds it until its ranges are complete.
func (p *pager) take(op []byte) error {
	e, err := p.parser.parse(op)
	if err != nil {
		return err
	}
	if p.info.Entries++; p.info.Entries > p.c.MaxEntries {
		return incomplete("it has more than %d entries, the most that are read", p.c.MaxEntries)
	}
	if p.pageEntries++; p.pageEntries == 1 {
		p.pageFirst = bytes.Clone(e.DN)
	}
	for i := range e.Attributes {
		if strings.Contains(e.Attributes[i].Name, ";") && hasRange(e.Attributes[i].Name) {
			p.held = append(p.held, e.clone())
			return p.hold(e.size())
		}
	}
	if err := p.afford(len(op), len(p.parser.values)); err != nil {
		return err
	}
	return p.deliver(e)
}

func (p *pager) deliver(e *Entry) error {
	p.rename(e)
	if err := p.onEntry(e); err != nil {
		p.callback = err
		return err
	}
	return nil
}

// reference notes a continuation reference (RFC 4511, 4.5.3), once.
func (p *pager) reference(op []byte) {
	for len(op) > 0 {
		url, rest, err := expect(op, tagOctets)
		if err != nil {
			return
		}
		op = rest
		text := printable(url)
		known := slices.Contains(p.info.References, text)
		if text != "" && !known && len(p.info.References) < maxReferences {
			p.info.References = append(p.info.References, text)
		}
	}
}

// Error makes a result other than success an error, for explain to put into words.
func (r result) Error() string { return fmt.Sprintf("result %d: %s", r.code, r.diagnostic) }

// words names the result, and what the server says of it.
func (r result) words() string {
	text := fmt.Sprintf("result %d, %s", r.code, ldap.LDAPResultCodeMap[uint16(r.code)])
	if r.diagnostic != "" {
		text += ": " + r.diagnostic
	}
	return text
}

// explain gives the search's error its code and its words.
func (p *pager) explain(ctx context.Context, err error) error {
	var known *Error
	var done result
	switch {
	case p.callback != nil:
		return p.callback
	case ctx.Err() != nil && errors.As(context.Cause(ctx), &known):
		return known
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", StepSearch, ctx.Err())
	case errors.As(err, &known):
		return err
	case errors.As(err, &done):
		return p.explainResult(done)
	case isTimeout(err):
		return &Error{Code: CodeTimeout, Step: StepSearch, Err: err,
			Message: fmt.Sprintf("%s stopped answering in the middle of the search: nothing came for %s after %d "+
				"entries. Nothing is changed; try again, or narrow the search base.",
				p.target(), p.c.IdleTimeout, p.info.Entries)}
	}
	return &Error{Code: CodeIncompleteRead, Step: StepSearch, Err: err,
		Message: fmt.Sprintf("The directory was not read to its end: after %d entries the connection broke (%s). "+
			"Nothing is changed; try again.", p.info.Entries, cause(err))}
}

// explainResult puts a search result other than success into words.
func (p *pager) explainResult(done result) error {
	said := done.words()
	if p.refused != 0 && p.info.Entries == 0 {
		said += ", also for smaller pages and without any"
	}
	out := &Error{Code: CodeIncompleteRead, Step: StepSearch, Err: done}
	if wantsEncryption(done.code, done.diagnostic) {
		out.Code = CodeEncryptionRequired
		out.Message = p.encryptionWanted("before a search", said)
		return out
	}
	switch done.code {
	case ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultAdminLimitExceeded:
		out.Message = fmt.Sprintf("The server stopped at a limit after %d entries (%s), so the directory was not "+
			"read to its end and nothing is changed. "+
			"Raise the limit for the user %s on the server, or narrow the search base or the filter.",
			p.info.Entries, said, p.who())
	case ldap.LDAPResultNoSuchObject:
		return p.noSuchBase(p.info.Base, done.matchedDN, done)
	case ldap.LDAPResultReferral:
		out.Code = CodeBaseNotFound
		out.Message = fmt.Sprintf(baseElsewhere, p.info.Base)
	case ldap.LDAPResultOperationsError, ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultStrongAuthRequired:
		out.Code = CodeInsufficientAccess
		out.Message = fmt.Sprintf("The server does not let %s search %q (%s). Sign in with a user that may read it.",
			p.who(), p.info.Base, said)
	case ldap.LDAPResultInvalidDNSyntax:
		out.Code = CodeInvalidBase
		out.Message = fmt.Sprintf("The server cannot read the search base %q.", p.info.Base)
	default:
		out.Message = fmt.Sprintf("The server ended the search after %d entries (%s), so the directory was not read "+
			"to its end and nothing is changed.", p.info.Entries, said)
	}
	return out
}
