package api

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// tokenScheme names how callers show who they are.
const tokenScheme = "token"

const description = "Imports the users of a directory server into the Users List of a mail-security portal: preview, " +
	"export, sync, undo.\n\n" +
	"A request belongs to the account that its access token names; a service's names it in the header " +
	AccountHeader + ". Answers may gain members, and lists of values may grow: ignore what you do not know. Errors " +
	"are problems (RFC 9457), whose code is stable. Times are RFC 3339 in UTC."

// tags are the groups of operations, in the order in which a reader meets them.
var tags = []*huma.Tag{
	{Name: "Previews", Description: "What a sync would do, before it does it"},
	{Name: "Explanations", Description: "What a sync would make of one address, and why"},
	{Name: "Exports", Description: "CSV files behind links that expire"},
	{Name: "Syncs", Description: "What writes the Users List, what it changed, and its undoing"},
	{Name: "Settings", Description: "The saved connection, what a sync may do, and the schedule"},
	{Name: "Notifications", Description: "Who is told by mail and by webhook, and what the receivers said"},
	{Name: "Connectors", Description: "Programs on site that read directories which the cloud cannot reach"},
	{Name: "Users", Description: "The Users List, and edits of it by hand"},
	{Name: "Audit", Description: "Who did what"},
}

// documented is the configuration of an API that describes itself.
func documented() huma.Config {
	config := huma.DefaultConfig("Rollcall", Version)
	config.Info.Description = description
	config.Tags = tags
	config.Servers = []*huma.Server{
		{URL: "/", Description: "Where this document was read"},
		{URL: "http://127.0.0.1:8080", Description: "make run"},
	}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{tokenScheme: {
		Type: "http", Scheme: "bearer", BearerFormat: "JWT",
		Description: "An access token of the deployment's issuer with the scope read, or admin for what changes " +
			"something. With the scope service beside it, the header " + AccountHeader + " names the account. " +
			"make run asks for none.",
	}}
	config.Components.Responses = make(map[string]*huma.Response)
	shown := make(map[string]bool)
	config.OnAddOperation = []huma.AddOpFunc{func(doc *huma.OpenAPI, op *huma.Operation) {
		describe(doc, op, shown)
	}}
	return config
}

// describe completes what the router says of an operation: which scope it needs, what its answers always have, what
// its problems look like, and examples. shown are the types of answers that are complete.
func describe(doc *huma.OpenAPI, op *huma.Operation, shown map[string]bool) {
	op.Security = []map[string][]string{{tokenScheme: {string(needs(op.Method))}}}
	e := examples{doc.Components.Schemas}
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			media.Example = e.of(media.Schema, false)
		}
	}
	for status, response := range op.Responses {
		if code, err := strconv.Atoi(status); err == nil && code >= http.StatusBadRequest {
			op.Responses[status] = problemResponse(doc, code, shown)
			continue
		}
		for _, media := range response.Content {
			complete(doc.Components.Schemas, media.Schema, shown)
			media.Example = e.of(media.Schema, true)
		}
	}
}

// problemResponse returns a reference to the answer that a status stands for.
func problemResponse(doc *huma.OpenAPI, status int, shown map[string]bool) *huma.Response {
	name := strings.ReplaceAll(http.StatusText(status), " ", "")
	if doc.Components.Responses[name] == nil {
		schema := doc.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
		complete(doc.Components.Schemas, schema, shown)
		p := filled(&Problem{Status: status, Code: codeOf(status), Detail: "What went wrong, and what to do."})
		response := &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{p.ContentType(""): {Schema: schema, Example: p}},
		}
		if status == http.StatusTooManyRequests {
			response.Headers = map[string]*huma.Param{"Retry-After": {
				Description: "Seconds to wait", Schema: &huma.Schema{Type: huma.TypeInteger},
			}}
		}
		doc.Components.Responses[name] = response
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}

// complete says of the types of an answer what encoding/json does with them: every member is there but for those with
// omitempty, a pointer may be null, and later versions may add members. The router takes the same types for requests,
// where members may be left out; so no type is both.
func complete(registry huma.Registry, schema *huma.Schema, shown map[string]bool) {
	if schema.Items != nil {
		complete(registry, schema.Items, shown)
	}
	if of, ok := schema.AdditionalProperties.(*huma.Schema); ok {
		complete(registry, of, shown)
	}
	if schema.Ref == "" || shown[schema.Ref] {
		return
	}
	shown[schema.Ref] = true
	object := registry.SchemaFromRef(schema.Ref)
	object.AdditionalProperties, object.Required = nil, nil
	for _, field := range reflect.VisibleFields(registry.TypeFromRef(schema.Ref)) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		property := object.Properties[name]
		if property == nil {
			continue
		}
		complete(registry, property, shown)
		if strings.HasPrefix(options, "omit") {
			continue
		}
		object.Required = append(object.Required, name)
		if property.Ref != "" && field.Type.Kind() == reflect.Pointer {
			object.Properties[name] = &huma.Schema{
				Description: property.Description,
				AnyOf:       []*huma.Schema{{Ref: property.Ref}, {Type: "null"}},
			}
		}
	}
}

// examples puts examples of whole bodies together from those of their members.
type examples struct{ schemas huma.Registry }

// of returns an example of a schema, nil for none. whole says that members without an example of their own are shown
// too, empty, as in an answer; of a request they are left out where they may be.
func (e examples) of(schema *huma.Schema, whole bool) any {
	if schema.Ref != "" {
		schema = e.schemas.SchemaFromRef(schema.Ref)
	}
	switch {
	case len(schema.Examples) > 0:
		return schema.Examples[0]
	case len(schema.AnyOf) > 0:
		return e.of(schema.AnyOf[0], whole)
	case schema.Type == huma.TypeObject && schema.Properties != nil:
		return e.object(schema, whole)
	case !whole, schema.Nullable:
		return nil
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type == huma.TypeBoolean:
		return false
	case schema.Type == huma.TypeArray:
		if item := e.of(schema.Items, whole); item != nil && item != "" {
			return []any{item}
		}
		return []any{}
	case schema.Format == "date-time":
		return time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	case schema.Type == huma.TypeString:
		return ""
	case schema.Type == huma.TypeInteger:
		return 0
	}
	return nil
}

// otherwise are members that are null in examples: what failed is another example than what went well, and so is a user
// who was there before.
var otherwise = map[string]bool{"error": true, "before": true}

func (e examples) object(schema *huma.Schema, whole bool) any {
	out := make(map[string]any)
	for name, property := range schema.Properties {
		value := e.of(property, whole)
		required := slices.Contains(schema.Required, name)
		switch {
		case otherwise[name] && len(property.AnyOf) > 0:
			out[name] = nil
		case value != nil && (required || !whole || len(property.Examples) > 0), whole && required:
			out[name] = value
		}
	}
	if len(out) == 0 && !whole {
		return nil
	}
	return out
}
