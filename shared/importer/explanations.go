package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/importer/explain"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// ExplanationRequest asks what a sync would make of an address, or of the entry of a DN. What is nil is taken from the
// saved settings, as in PreviewRequest.
type ExplanationRequest struct {
	Address, DN string
	Connection  *settings.Connection
	Advanced    *settings.Advanced
}

// Check lists what is wrong whatever is stored, and makes r's address and DN canonical.
func (r *ExplanationRequest) Check() error {
	r.Address, r.DN = strings.TrimSpace(r.Address), strings.TrimSpace(r.DN)
	var wrong settings.FieldError
	switch {
	case (r.Address == "") == (r.DN == ""):
		wrong = settings.FieldError{Field: "address", Message: "give either an address or a dn"}
	case r.Address != "":
		if _, err := address.Parse(r.Address); err != nil && !errors.Is(err, address.ErrInvisible) {
			wrong = settings.FieldError{Field: "address", Message: err.Error()}
		}
	default:
		dn, err := directory.CheckDN(r.DN)
		if err != nil {
			wrong = settings.FieldError{Field: "dn", Message: err.Error()}
		}
		r.DN = dn
	}
	if wrong.Field != "" {
		return invalid(wrong)
	}
	return checkImport(r.Connection, r.Advanced, nil)
}

// StartExplanation starts to find out what a sync would make of an address.
func (s *Service) StartExplanation(ctx context.Context, id run.Identity, req ExplanationRequest) (run.Run, error) {
	if err := req.Check(); err != nil {
		return run.Run{}, err
	}
	imp, sealed, err := s.importOf(ctx, id, PreviewRequest{Connection: req.Connection, Advanced: req.Advanced})
	if err != nil {
		return run.Run{}, err
	}
	asked := &run.Asked{Address: req.Address, DN: req.DN}
	r := run.Run{Kind: run.KindExplanation, Import: imp, SealedPassword: sealed, Asked: asked}
	return s.start(ctx, id, r, Idempotency{})
}

// Explanation returns an explanation's run. After a day there is none any more.
func (s *Service) Explanation(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	return s.run(ctx, id, run.KindExplanation, runID)
}

// explain asks the directory and the Users List, and says what a sync would make of it.
func (j *job) explain(ctx context.Context) (run.State, error) {
	of, err := j.ask(ctx)
	if err != nil {
		return "", err
	}
	explained, err := explain.Explain(of)
	if err != nil {
		return "", err
	}
	j.set(func() { j.explained = &explained })
	return run.Done, nil
}

// ask finds out what there is to explain. Who asks about an entry hears about its primary address.
func (j *job) ask(ctx context.Context) (of explain.Case, err error) {
	imp, asked := j.run.Import, *j.run.Asked
	connection, rules, err := j.access(ctx)
	if err != nil {
		return of, err
	}
	looks, err := j.jobs.Looks(ctx)
	if err != nil {
		return of, fmt.Errorf("read what was noted of the last look: %w", err)
	}
	of = explain.Case{
		Server: imp.Connection.ServerType, Advanced: imp.Advanced, Asked: asked, NewSince: newSince(&looks),
		Stored: func(key string) (*user.User, error) { return j.storedUser(ctx, key) },
	}
	if asked.DN != "" {
		if of.Answer, err = j.find(ctx, connection, rules.QuestionOf(imp.Advanced, asked.DN)); err != nil {
			return of, err
		}
		if asked.Address, err = explain.Primary(of); err != nil {
			return of, err
		}
	}
	if asked.Address == "" {
		return of, nil
	}
	// An address with an invisible character has a form all the same.
	parsed, _ := address.Parse(asked.Address)
	answer, err := j.find(ctx, connection, rules.Question(imp.Advanced, parsed))
	of.Answer = answer.Behind(of.Answer)
	return of, err
}

// find asks the directory a question, and shows the steps of the last one.
func (j *job) find(ctx context.Context, c settings.Connection, q directory.Question) (directory.Answer, error) {
	j.beginReading()
	answer, err := j.reader().Find(ctx, c, q, j.onStep)
	if err == nil {
		j.set(func() { j.progress.Entries, j.notes = len(answer.Found), slices.Clone(answer.Notes) })
	}
	return answer, err
}

// storedUser returns the user with a canonical address, nil where there is none.
func (j *job) storedUser(ctx context.Context, key string) (*user.User, error) {
	u, err := j.Users.For(j.account).Get(ctx, key)
	switch {
	case errors.Is(err, users.ErrNotFound):
		return nil, nil //nolint:nilnil // a user who is not there is an answer
	case err != nil:
		return nil, fmt.Errorf("look for user %s: %w", key, err)
	}
	return &u, nil
}
