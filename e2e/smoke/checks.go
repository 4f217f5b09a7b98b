package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// errLeftOut means that a check was not asked for.
var errLeftOut = errors.New("not asked for")

// runLimit is how long a preview may take: a directory's own time, and a cold start or two.
const runLimit = 10 * time.Minute

// smoke is one deployment under test.
type smoke struct {
	base, token, readToken, serviceToken string
	// account is sent in the header that names a service's.
	account     string
	previewBody string
	client      *http.Client
	// previewID is the preview that was done, for the export.
	previewID string
}

// call sends a request and decodes its JSON answer, if it is one.
func (s *smoke) call(ctx context.Context, token, method, path, body string) (status int, answer map[string]any,
	err error) {
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if s.account != "" {
		r.Header.Set("X-Rollcall-Account", s.account)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, err
	}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		err = json.Unmarshal(data, &answer)
	}
	return resp.StatusCode, answer, err
}

// want sends a request and returns an error unless the status is the wanted one.
func (s *smoke) want(ctx context.Context, status int, token, method, path, body string) (map[string]any, error) {
	got, answer, err := s.call(ctx, token, method, path, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if got != status {
		return nil, fmt.Errorf("%s %s: status %d, want %d: %v", method, path, got, status, answer)
	}
	return answer, nil
}

func (s *smoke) document(ctx context.Context) error {
	doc, err := s.want(ctx, http.StatusOK, "", "GET", "/v1/openapi.json", "")
	if err == nil && doc["paths"] == nil {
		err = errors.New("the document has no paths")
	}
	return err
}

func (s *smoke) page(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/", nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if policy := resp.Header.Get("Content-Security-Policy"); resp.StatusCode != http.StatusOK || policy == "" {
		return fmt.Errorf("status %d, Content-Security-Policy %q; want 200 and one", resp.StatusCode, policy)
	}
	return nil
}

func (s *smoke) authorizer(ctx context.Context) error {
	_, missing := s.want(ctx, http.StatusUnauthorized, "", "GET", "/v1/users", "")
	// The signature is the token's last part: changing it must be enough to keep its bearer out.
	_, forged := s.want(ctx, http.StatusUnauthorized, s.token+"x", "GET", "/v1/users", "")
	return errors.Join(missing, forged)
}

func (s *smoke) reader(ctx context.Context) error {
	if s.readToken == "" {
		return fmt.Errorf("%w: give -read-token", errLeftOut)
	}
	_, read := s.want(ctx, http.StatusOK, s.readToken, "GET", "/v1/users?limit=1", "")
	_, write := s.want(ctx, http.StatusForbidden, s.readToken, "POST", "/v1/users",
		`{"address":"smoke@rollcall.example"}`)
	return errors.Join(read, write)
}

// service adds and removes a user of an account that only this check uses, and looks for both in its audit log.
func (s *smoke) service(ctx context.Context) error {
	if s.serviceToken == "" {
		return fmt.Errorf("%w: give -service-token", errLeftOut)
	}
	named := *s
	named.account = "rollcall-smoke"
	refused, without := s.want(ctx, http.StatusForbidden, s.serviceToken, "GET", "/v1/users?limit=1", "")
	if without == nil && refused["code"] != "no_account" {
		without = fmt.Errorf("without an account the answer is %v, want no_account", refused)
	}
	_, add := named.want(ctx, http.StatusCreated, s.serviceToken, "POST", "/v1/users",
		`{"address":"service@rollcall.example"}`)
	_, remove := named.want(ctx, http.StatusNoContent, s.serviceToken, "DELETE",
		"/v1/users/service@rollcall.example", "")
	log, read := named.want(ctx, http.StatusOK, s.serviceToken, "GET", "/v1/audit?limit=1", "")
	if read == nil && !strings.Contains(fmt.Sprint(log["items"]), "by:service:") {
		read = fmt.Errorf("the audit log names no service: %v", log["items"])
	}
	other, ignored := named.want(ctx, http.StatusOK, s.token, "GET", "/v1/audit?limit=1", "")
	if ignored == nil && strings.Contains(fmt.Sprint(other["items"]), "service@rollcall.example") {
		ignored = errors.New("a token that is no service's reads the account of the header")
	}
	return errors.Join(without, add, remove, read, ignored)
}

func (s *smoke) users(ctx context.Context) error {
	for _, address := range []string{"smoke@rollcall.example", "smoke+tag@rollcall.example",
		"smoke/slash@rollcall.example", "smoke%25@rollcall.example"} {
		path := "/v1/users/" + url.PathEscape(address)
		body, err := json.Marshal(map[string]any{"address": address})
		if err != nil {
			return err
		}
		_, add := s.want(ctx, http.StatusCreated, s.token, "POST", "/v1/users", string(body))
		_, change := s.want(ctx, http.StatusOK, s.token, "PATCH", path, `{"heldSpamReport":"daily"}`)
		found, find := s.want(ctx, http.StatusOK, s.token, "GET", "/v1/users?q="+url.QueryEscape(address), "")
		if find == nil && !strings.Contains(fmt.Sprint(found["items"]), address) {
			find = fmt.Errorf("%s is not found: %v", address, found)
		}
		_, remove := s.want(ctx, http.StatusNoContent, s.token, "DELETE", path, "")
		if err := errors.Join(add, change, find, remove); err != nil {
			return err
		}
	}
	return nil
}

// refusedDirectory is one that no deployment may reach: its metadata service.
const refusedDirectory = `{"connection":{"serverType":"exchange","host":"169.254.169.254","port":389,` +
	`"username":"smoke","password":"planted-secret"}}`

func (s *smoke) settings(ctx context.Context) error {
	if status, _, err := s.call(ctx, s.token, "GET", "/v1/settings", ""); err != nil || status == http.StatusOK {
		return errors.Join(err, fmt.Errorf("%w: the account has settings, which this check would overwrite",
			errLeftOut))
	}
	saved, err := s.want(ctx, http.StatusOK, s.token, "PUT", "/v1/settings",
		strings.TrimSuffix(refusedDirectory, "}")+`,"schedule":{"intervalHours":24}}`)
	if err != nil {
		return err
	}
	if text := fmt.Sprint(saved); !strings.Contains(text, "passwordSet:true") ||
		strings.Contains(text, "planted-secret") {
		err = fmt.Errorf("saved settings %v; want passwordSet and no password", saved)
	}
	_, remove := s.want(ctx, http.StatusOK, s.token, "DELETE", "/v1/settings", "")
	return errors.Join(err, remove)
}

func (s *smoke) preview(ctx context.Context) error {
	body, wantCode := s.previewBody, ""
	if body == "" {
		body, wantCode = refusedDirectory, "address_forbidden"
	}
	started, err := s.want(ctx, http.StatusAccepted, s.token, "POST", "/v1/previews", body)
	if err != nil {
		return err
	}
	id, _ := started["id"].(string)
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	for {
		preview, err := s.want(ctx, http.StatusOK, s.token, "GET", "/v1/previews/"+id, "")
		if err != nil {
			return err
		}
		switch failure, _ := preview["error"].(map[string]any); preview["state"] {
		case "queued", "running":
		case "done":
			s.previewID = id
			if wantCode != "" {
				return errors.New("the metadata service was read as a directory")
			}
			return nil
		default:
			if wantCode != "" && failure["code"] == wantCode {
				return nil
			}
			return fmt.Errorf("the preview is %v: %v", preview["state"], failure)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the preview did not end within %s: %w", runLimit, ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

func (s *smoke) export(ctx context.Context) error {
	path := "/v1/users/export"
	if s.previewID != "" {
		path = "/v1/previews/" + s.previewID + "/export"
	}
	export, err := s.want(ctx, http.StatusCreated, s.token, "POST", path, "")
	if err != nil {
		return err
	}
	link, _ := export["url"].(string)
	expires, err := time.Parse(time.RFC3339, fmt.Sprint(export["expiresAt"]))
	if err != nil || time.Until(expires) > time.Hour {
		return fmt.Errorf("the link expires at %v (error %w), want within the hour", export["expiresAt"], err)
	}
	got, err := s.status(ctx, link)
	if err != nil || got != http.StatusOK {
		return fmt.Errorf("the link answers %d (error %w), want 200", got, err)
	}
	elsewhere := strings.Replace(link, "/csv/", "/plans/", 1)
	if got, err := s.status(ctx, elsewhere); err != nil || got != http.StatusForbidden {
		return fmt.Errorf("a link that was changed answers %d (error %w), want 403", got, err)
	}
	return nil
}

// status returns the status of a link's answer.
func (s *smoke) status(ctx context.Context, link string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return 0, err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

func (s *smoke) history(ctx context.Context) error {
	_, syncs := s.want(ctx, http.StatusOK, s.token, "GET", "/v1/syncs?limit=1", "")
	_, audit := s.want(ctx, http.StatusOK, s.token, "GET", "/v1/audit?limit=1", "")
	return errors.Join(syncs, audit)
}
