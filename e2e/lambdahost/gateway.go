package lambdahost

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"rollcall/shared/manifest"
)

// maxAnswer is how many bytes a function may answer at most (Lambda quotas, synchronous response).
const maxAnswer = 6 << 20

// Gateway stands in for the HTTP API with its JWT authorizer. claims returns the claims of a request's token, and nil
// for a request without one. Routes whose requests are signed get none.
func (h *Host) Gateway(claims func(*http.Request) map[string]string) http.Handler {
	routes := manifest.Routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, ok := find(routes, r.URL.Path)
		var verified map[string]string
		if ok && !route.Signed {
			verified = claims(r)
		}
		switch {
		case !ok:
			gatewayError(w, http.StatusNotFound, "Not Found")
		case verified == nil && !route.Signed:
			gatewayError(w, http.StatusUnauthorized, "Unauthorized")
		default:
			h.forward(w, r, route, verified)
		}
	})
}

// find returns the route of a decoded path. Of several that match, the one whose first segment that differs is the more
// precise counts: a name over a variable, and that over a greedy one, which stands for one segment or more.
func find(routes []manifest.Route, path string) (best manifest.Route, ok bool) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	rank := ""
	for _, route := range routes {
		if own, matches := match(strings.Split(strings.TrimPrefix(route.Path, "/"), "/"), segments); matches &&
			own > rank {
			best, rank, ok = route, own, true
		}
	}
	return best, ok
}

// match compares a route's segments with a path's. rank orders the routes that match: a letter a segment, the later the
// more precise.
func match(route, path []string) (rank string, ok bool) {
	for i, segment := range route {
		switch {
		case i == len(path):
			return "", false
		case strings.HasSuffix(segment, "+}"):
			return rank + "a", true
		case strings.HasPrefix(segment, "{"):
			rank += "b"
		case segment == path[i]:
			rank += "c"
		default:
			return "", false
		}
	}
	return rank, len(route) == len(path)
}

// gatewayError answers as the HTTP API does where it does not reach a function.
func gatewayError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}

func (h *Host) forward(w http.ResponseWriter, r *http.Request, route manifest.Route, claims map[string]string) {
	event, err := requestEvent(r, route, claims)
	if err != nil {
		gatewayError(w, http.StatusBadRequest, "Bad Request")
		return
	}
	data, err := h.Invoke(r.Context(), route.Function, event)
	var answer events.APIGatewayV2HTTPResponse
	if err == nil {
		err = json.Unmarshal(data, &answer)
	}
	if err != nil || len(data) > maxAnswer {
		fmt.Fprintf(h.config.Log, "gateway: %s %s: %d bytes, error %v\n", r.Method, r.URL.Path, len(data), err)
		gatewayError(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(answer.Body); err != nil {
			gatewayError(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.StatusCode)
	w.Write(body)
}

// requestEvent makes the event of a request in payload format 2.0. As the real gateway it decodes the path, and cuts it
// at a question mark that was encoded; it joins repeated headers with commas and leaves the query as it came.
func requestEvent(r *http.Request, route manifest.Route, claims map[string]string) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	path, _, _ := strings.Cut(r.URL.Path, "?")
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "ANY " + route.Path, RawPath: path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host}, QueryStringParameters: joined(r.URL.Query()),
		PathParameters: make(map[string]string),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "ANY " + route.Path, AccountID: "123456789012", Stage: "$default", APIID: "local",
			DomainName: r.Host,
			Time:       time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: time.Now().UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.Method, Path: path, Protocol: r.Proto,
				SourceIP: ip, UserAgent: r.UserAgent()},
		},
	}
	if claims != nil {
		event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
		}
	}
	for name, values := range r.Header {
		event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	event.Body = string(body)
	if !utf8.Valid(body) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return json.Marshal(event)
}

func joined(query url.Values) map[string]string {
	out := make(map[string]string)
	for name, values := range query {
		out[name] = strings.Join(values, ",")
	}
	return out
}
