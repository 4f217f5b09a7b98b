package importer

import (
	"context"
	"errors"
	"time"

	"rollcall/shared/address"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Users returns one page of the Users List.
func (s *Service) Users(ctx context.Context, id run.Identity, q users.Query) (users.Page, error) {
	return s.c.Users.For(id.Account).List(ctx, q)
}

// countTime is how long a request waits for the number of users, where a store has to count them.
const countTime = 10 * time.Second

// UsersTotal returns how many users the account has, or nil where to count them takes too long.
func (s *Service) UsersTotal(ctx context.Context, id run.Identity) (*int, error) {
	counting, stop := context.WithTimeout(ctx, countTime)
	defer stop()
	total, err := s.c.Users.For(id.Account).Total(counting)
	switch {
	case err == nil:
		return &total, nil
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		err = nil
	}
	return nil, err
}

// AddUser adds a user by hand.
func (s *Service) AddUser(ctx context.Context, id run.Identity, req UserRequest) (user.User, error) {
	if err := req.Check(); err != nil {
		return user.User{}, err
	}
	added, err := s.newUser(ctx, id, req)
	if err != nil {
		return user.User{}, err
	}
	entry := s.entry(id, runs.UserAdded, added.Address, nil)
	err = s.edit(ctx, id, new(bool), nil, users.Change{Key: added.Key, After: &added}, entry)
	if errors.Is(err, runs.ErrConflict) {
		err = problem(Conflict, "user_exists", "%s is on the Users List already.", added.Address)
	}
	if err != nil {
		return user.User{}, err
	}
	return added, nil
}

func (s *Service) newUser(ctx context.Context, id run.Identity, req UserRequest) (user.User, error) {
	parsed, err := address.Parse(req.Address)
	if err != nil {
		return user.User{}, err
	}
	now := s.c.now()
	added := user.User{
		Key: parsed.Key, Address: parsed.Display, Kind: user.Primary, PrimaryAddress: parsed.Display, Type: req.Type,
		Source: user.Manual, HeldSpamReport: req.HeldSpamReport, Protected: req.Protected,
		Version: now.UnixMilli(), CreatedAt: now, UpdatedAt: now,
	}
	if req.PrimaryAddress == "" {
		return added, nil
	}
	primary, err := address.Parse(req.PrimaryAddress)
	if err != nil {
		return user.User{}, err
	}
	if primary.Key == parsed.Key {
		return added, nil
	}
	owner, err := s.c.Users.For(id.Account).Get(ctx, primary.Key)
	if err != nil {
		return user.User{}, notFound(err, "primary_not_found",
			"There is no user %s that this could be an alias of. Add that one first.", req.PrimaryAddress)
	}
	switch {
	case owner.Kind != user.Primary:
		return user.User{}, invalid(settings.FieldError{
			Field: "primaryAddress", Message: "is an alias itself; name its primary, " + owner.PrimaryAddress,
		})
	case req.HeldSpamReport == user.ReportDaily:
		return user.User{}, invalid(settings.FieldError{Field: "heldSpamReport", Message: aliasReport})
	}
	added.Kind, added.PrimaryAddress = user.Alias, owner.Address
	return added, nil
}

const aliasReport = "an alias gets no report of its own: set it on the primary"

// PatchUser changes a user by hand. It takes the row as it is now and tries again when an import writes it meanwhile.
func (s *Service) PatchUser(
	ctx context.Context, id run.Identity, addr string, patch UserPatch,
) (after user.User, err error) {
	if err := patch.check(); err != nil {
		return user.User{}, err
	}
	counted := false
	err = runs.Retry(ctx, func() error {
		before, err := s.user(ctx, id, addr)
		if err != nil {
			return err
		}
		if after, err = patch.of(before); err != nil || after == before {
			return err
		}
		after.Version, after.LastRunID, after.UpdatedAt = before.Version+1, "", s.c.now()
		change := users.Change{Key: before.Key, Expect: before.Version, After: &after}
		entry := s.entry(id, runs.UserChanged, after.Address, userDiff(before, after))
		return s.edit(ctx, id, &counted, &before, change, entry)
	})
	return after, err
}

// of is the user that a patch makes of one.
func (p UserPatch) of(u user.User) (user.User, error) {
	if p.Match != nil && !p.Match(u.Version) {
		return u, problem(Stale, "user_changed_meanwhile",
			"%s is not as you read it: somebody changed it meanwhile. Read it again.", u.Address)
	}
	if p.HeldSpamReport != nil {
		u.HeldSpamReport = *p.HeldSpamReport
	}
	if p.Protected != nil {
		u.Protected = *p.Protected
	}
	if u.Kind == user.Alias && u.HeldSpamReport == user.ReportDaily {
		return u, invalid(settings.FieldError{Field: "heldSpamReport", Message: aliasReport})
	}
	return u, nil
}

// RemoveUser removes a user by hand; a protected one must lose its protection first.
func (s *Service) RemoveUser(ctx context.Context, id run.Identity, addr string) error {
	counted := false
	return runs.Retry(ctx, func() error {
		before, err := s.user(ctx, id, addr)
		if err != nil {
			return err
		}
		if before.Protected {
			return problem(Conflict, "user_protected",
				"%s is protected. Take the protection off first.", before.Address)
		}
		change := users.Change{Key: before.Key, Expect: before.Version}
		// Where the user is gone, or another, it is looked for again.
		return s.edit(ctx, id, &counted, &before, change, s.entry(id, runs.UserRemoved, before.Address, nil))
	})
}

// edit makes an edit by hand of a user, nil for a new one, and tells it, or returns ErrConflict. It counts the edit
// where that was not done before: one that is tried again counts once.
func (s *Service) edit(
	ctx context.Context, id run.Identity, counted *bool, before *user.User, c users.Change, entry runs.AuditEntry,
) error {
	if !*counted {
		if err := s.countEdit(ctx, id); err != nil {
			return err
		}
		*counted = true
	}
	news, err := s.c.noteEdit(ctx, id.Account, before, c, entry)
	if err != nil {
		return err
	}
	outcome, err := s.c.Users.For(id.Account).Edit(ctx, c, entry)
	if err == nil && outcome != users.Applied {
		err = runs.ErrConflict
	}
	s.c.tellEdit(ctx, id.Account, news, err)
	return err
}

func (s *Service) user(ctx context.Context, id run.Identity, addr string) (user.User, error) {
	parsed, err := address.Parse(addr)
	if err != nil && !errors.Is(err, address.ErrInvisible) {
		return user.User{}, problem(NotFound, "user_not_found", "%q is no address: %v.", addr, err)
	}
	list := s.c.Users.For(id.Account)
	found, err := list.Get(ctx, parsed.Key)
	if former, differs := address.FormerKey(parsed); differs && errors.Is(err, users.ErrNotFound) {
		// Somebody else may have that key by rights.
		if before, formerErr := list.Get(ctx, former); formerErr == nil && sameAddress(before.Address, parsed.Key) {
			found, err = before, nil
		}
	}
	return found, notFound(err, "user_not_found", "There is no user %s.", addr)
}

func sameAddress(shown, key string) bool {
	parsed, err := address.Canonical(shown)
	return err == nil && parsed == key
}
