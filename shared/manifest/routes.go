package manifest

// Route sends the requests of a path to a function, whatever their method: the function knows which methods it takes
// and which scope each needs, and answers the others with a problem.
type Route struct {
	// Path is an API Gateway route's: {name} is one segment, {name+} all that follow.
	Path     string
	Function string
	// Signed says that each request is signed by who sends it and has no token: the function checks that.
	Signed bool
}

// Routes lists the API's routes. The most specific one counts, as in API Gateway and in http.ServeMux.
func Routes() []Route {
	preview, export, sync := PreviewAPI().Name, ExportAPI().Name, SyncAPI().Name
	return []Route{
		{Path: "/v1/previews", Function: preview},
		{Path: "/v1/previews/{id}", Function: preview},
		{Path: "/v1/previews/{id}/addresses", Function: preview},
		{Path: "/v1/previews/{id}/cancel", Function: preview},
		{Path: "/v1/explanations", Function: preview},
		{Path: "/v1/explanations/{id}", Function: preview},
		{Path: "/v1/previews/{id}/export", Function: export},
		{Path: "/v1/syncs/{id}/export", Function: export},
		{Path: "/v1/exports/{id}", Function: export},
		{Path: "/v1/users/export", Function: export},
		// Greedy, because API Gateway decodes a path before it matches: an address may hold a slash.
		{Path: "/v1/users/{address+}", Function: sync},
		{Path: "/v1/connector/{proxy+}", Function: ConnectorAPI().Name, Signed: true},
		{Path: "/v1/{proxy+}", Function: sync},
	}
}

// DescriptionPath is where the API's description is served, beside the page and by no function.
const DescriptionPath = "/v1/openapi.json"
