package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// overlap is how far a catching up reaches back before the last one: clocks differ.
	overlap = 10 * time.Minute
	// longest is how long a sync may take from its creation to its end.
	longest = 24 * time.Hour
	// most is how many users are asked for one by one. Of more all are.
	most = 1000
)

// errExpired means that the API does not know any more what changed.
var errExpired = errors.New("what changed is not kept any more")

// User is what the mail filter wants to know of an address.
type User struct {
	Address        string `json:"address"`
	Kind           string `json:"kind"`
	PrimaryAddress string `json:"primaryAddress"`
	Type           string `json:"type"`
}

// Copy is a copy of an account's Users List. Events come more than once, late and in another order than they happened,
// so that it takes from an event who changed, and asks the API how they are now: whatever comes when, it ends up right.
type Copy struct {
	// API is the address of the API without a slash at its end, and Token an access token with the scope admin, which
	// exports need.
	API, Token string
	Client     *http.Client

	// working keeps an older answer from overwriting a newer one.
	working sync.Mutex
	mu      sync.Mutex
	users   map[string]User
	// upTo is when the copy was up to date for certain; zero before it was built.
	upTo time.Time
}

// Users returns the copy, by address in lower case.
func (c *Copy) Users() map[string]User {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]User, len(c.users))
	for key, u := range c.users {
		all[key] = u
	}
	return all
}

// Handle takes an event in. An error means that it has to come again.
func (c *Copy) Handle(ctx context.Context, body []byte) error {
	var event struct {
		Type string `json:"type"`
		Data struct {
			Changes []User `json:"changes"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return fmt.Errorf("read an event: %w", err)
	}
	if event.Type != "rollcall.users.changed" {
		return nil
	}
	c.working.Lock()
	defer c.working.Unlock()
	if len(event.Data.Changes) == 0 || c.upTo.IsZero() {
		return c.catchUp(ctx) // There are too many to be named, or nothing is known yet.
	}
	changed := make(map[string]bool)
	for _, u := range event.Data.Changes {
		changed[u.Address] = true
	}
	return c.refresh(ctx, changed)
}

// CatchUp makes the copy up to date without any event: at the start, and now and then.
func (c *Copy) CatchUp(ctx context.Context) error {
	c.working.Lock()
	defer c.working.Unlock()
	return c.catchUp(ctx)
}

func (c *Copy) catchUp(ctx context.Context) error {
	if c.upTo.IsZero() {
		return c.rebuild(ctx)
	}
	began, changed := time.Now(), make(map[string]bool)
	err := c.changedBySyncs(ctx, changed)
	if err == nil {
		err = c.changedByHand(ctx, changed)
	}
	switch {
	case errors.Is(err, errExpired), err == nil && len(changed) > most:
		return c.rebuild(ctx)
	case err != nil:
		return err
	}
	if err := c.refresh(ctx, changed); err != nil {
		return err
	}
	c.upTo = began
	return nil
}

// changedBySyncs adds the addresses that syncs and undos wrote since the copy was up to date. One at work is left to
// the next time.
func (c *Copy) changedBySyncs(ctx context.Context, changed map[string]bool) error {
	type line struct {
		ID         string     `json:"id"`
		CreatedAt  time.Time  `json:"createdAt"`
		FinishedAt *time.Time `json:"finishedAt"`
	}
	return list(ctx, c, "/v1/syncs?limit=100", func(sync line) (bool, error) {
		if sync.CreatedAt.Before(c.upTo.Add(-longest)) {
			return false, nil
		}
		if sync.FinishedAt == nil || sync.FinishedAt.Before(c.upTo.Add(-overlap)) {
			return true, nil
		}
		path := "/v1/syncs/" + sync.ID + "/changes?limit=1000&outcome=applied"
		return true, list(ctx, c, path, func(u User) (bool, error) {
			changed[u.Address] = true
			return len(changed) <= most, nil
		})
	})
}

// changedByHand adds the addresses that somebody edited since the copy was up to date.
func (c *Copy) changedByHand(ctx context.Context, changed map[string]bool) error {
	type line struct {
		At      time.Time `json:"at"`
		Action  string    `json:"action"`
		Subject string    `json:"subject"`
	}
	return list(ctx, c, "/v1/audit?limit=100", func(entry line) (bool, error) {
		if entry.At.Before(c.upTo.Add(-overlap)) {
			return false, nil
		}
		if strings.HasPrefix(entry.Action, "user.") {
			changed[entry.Subject] = true
		}
		return len(changed) <= most, nil
	})
}

// refresh asks how each of the addresses is now.
func (c *Copy) refresh(ctx context.Context, changed map[string]bool) error {
	for address := range changed {
		var now *User
		// The address itself comes first among those that begin with it.
		err := list(ctx, c, "/v1/users?limit=1&prefix="+url.QueryEscape(address), func(u User) (bool, error) {
			if strings.EqualFold(u.Address, address) {
				now = &u
			}
			return false, nil
		})
		if err != nil {
			return err
		}
		c.mu.Lock()
		if now == nil {
			delete(c.users, strings.ToLower(address))
		} else {
			c.users[strings.ToLower(address)] = *now
		}
		c.mu.Unlock()
	}
	return nil
}

// rebuild reads the whole Users List.
func (c *Copy) rebuild(ctx context.Context) error {
	began := time.Now()
	var export struct {
		ID, State, URL string
	}
	err := c.call(ctx, http.MethodPost, "/v1/users/export", &export)
	for err == nil && export.URL == "" {
		if export.State == "failed" {
			return fmt.Errorf("export %s failed", export.ID)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		err = c.call(ctx, http.MethodGet, "/v1/exports/"+export.ID, &export)
	}
	if err != nil {
		return err
	}
	users, err := c.download(ctx, export.URL)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users, c.upTo = users, began
	return nil
}

// download reads the CSV of an export. The link needs no token.
func (c *Copy) download(ctx context.Context, link string) (map[string]User, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("download an export: %s", response.Status)
	}
	rows := csv.NewReader(response.Body)
	if _, err := rows.Read(); err != nil { // the header
		return nil, err
	}
	users := make(map[string]User)
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return users, nil
		}
		if err != nil {
			return nil, err
		}
		users[strings.ToLower(row[0])] = User{Address: row[0], Kind: row[1], PrimaryAddress: row[2], Type: row[3]}
	}
}

// list reads a list of the API until take wants no more.
func list[T any](ctx context.Context, c *Copy, path string, take func(T) (more bool, err error)) error {
	for cursor := ""; ; {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		if err := c.call(ctx, http.MethodGet, path+cursor, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			if more, err := take(item); err != nil || !more {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
}

// call sends a request without a body, and reads the answer.
func (c *Copy) call(ctx context.Context, method, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.API+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	response, err := c.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusGone:
		return errExpired
	case response.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
