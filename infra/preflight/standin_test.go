package main

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
)

// world stands in for an AWS account: what preflight asks of it, in the protocols of the services.
type world struct {
	account   string
	stacks    map[string]stackIs
	resources map[string]string   // by stack/logical id
	imports   map[string][]string // by export
	quota     int
	// certificate, tables, backups and expiry are answers; a missing one does not exist.
	certificate map[string]any
	tables      map[string]map[string]any
	backups     string
	expiry      string
	sending     map[string]any
	identities  map[string]bool
	denied      map[string]bool
	unprepared  string // a region without a CDKToolkit
}

type stackIs struct {
	status  string
	outputs map[string]string
	exports map[string]string // by output
	tags    map[string]string
}

func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	operation := r.Header.Get("X-Amz-Target")
	operation = operation[strings.LastIndex(operation, ".")+1:]
	if operation == "" && r.Method == http.MethodPost {
		operation = r.FormValue("Action")
	}
	if operation == "" {
		operation = r.URL.Path
	}
	if w.denied[operation] {
		if r.FormValue("Action") != "" {
			problem(out, "AccessDenied", "not allowed")
		} else {
			fail(out, "AccessDeniedException")
		}
		return
	}
	switch operation {
	case "GetCallerIdentity":
		fmt.Fprintf(out, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
			<GetCallerIdentityResult><Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
			w.account)
	case "DescribeStacks", "DescribeStackResource", "ListImports":
		w.cloudFormation(out, r, operation)
	case "/2016-08-19/account-settings":
		answer(out, map[string]any{"AccountLimit": map[string]any{"ConcurrentExecutions": w.quota}})
	case "DescribeCertificate":
		orFail(out, w.certificate, map[string]any{"Certificate": w.certificate})
	case "DescribeTable":
		var in struct{ TableName string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		orFail(out, w.tables[in.TableName], map[string]any{"Table": w.tables[in.TableName]})
	case "DescribeContinuousBackups":
		answer(out, map[string]any{"ContinuousBackupsDescription": map[string]any{"ContinuousBackupsStatus": "ENABLED",
			"PointInTimeRecoveryDescription": map[string]any{"PointInTimeRecoveryStatus": w.backups}}})
	case "DescribeTimeToLive":
		answer(out, map[string]any{"TimeToLiveDescription": map[string]any{"TimeToLiveStatus": w.expiry}})
	case "/v2/email/account":
		answer(out, w.sending)
	default:
		identity := strings.TrimPrefix(operation, "/v2/email/identities/")
		verified, known := w.identities[identity]
		if !known {
			out.Header().Set("X-Amzn-Errortype", "NotFoundException")
			out.WriteHeader(http.StatusNotFound)
			return
		}
		answer(out, map[string]any{"VerifiedForSendingStatus": verified})
	}
}

func (w *world) cloudFormation(out http.ResponseWriter, r *http.Request, operation string) {
	name := r.FormValue("StackName")
	var result string
	switch operation {
	case "DescribeStacks":
		s, ok := w.stacks[name]
		unprepared := w.unprepared != "" && strings.Contains(r.Header.Get("Authorization"), "/"+w.unprepared+"/")
		if !ok || name == "CDKToolkit" && unprepared {
			problem(out, "ValidationError", "Stack with id "+name+" does not exist")
			return
		}
		result = s.member(name)
	case "DescribeStackResource":
		result = "<StackResourceDetail><PhysicalResourceId>" + w.resources[name+"/"+r.FormValue("LogicalResourceId")] +
			"</PhysicalResourceId></StackResourceDetail>"
	case "ListImports":
		export := r.FormValue("ExportName")
		if len(w.imports[export]) == 0 {
			problem(out, "ValidationError", "Export '"+export+"' is not imported by any stack.")
			return
		}
		result = "<Imports>"
		for _, by := range w.imports[export] {
			result += "<member>" + by + "</member>"
		}
		result += "</Imports>"
	}
	fmt.Fprintf(out, `<%[1]sResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
		<%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>`, operation, result)
}

func (s stackIs) member(name string) string {
	text := "<Stacks><member><StackName>" + name + "</StackName><StackStatus>" + s.status + "</StackStatus><Outputs>"
	for key, value := range s.outputs {
		text += "<member><OutputKey>" + key + "</OutputKey><OutputValue>" + value + "</OutputValue>"
		if export := s.exports[key]; export != "" {
			text += "<ExportName>" + export + "</ExportName>"
		}
		text += "</member>"
	}
	text += "</Outputs><Tags>"
	for key, value := range s.tags {
		text += "<member><Key>" + key + "</Key><Value>" + value + "</Value></member>"
	}
	return text + "</Tags></member></Stacks>"
}

func problem(out http.ResponseWriter, code, says string) {
	out.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(out, "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, says)
}

func answer(out http.ResponseWriter, body any) { send(out, http.StatusOK, body) }

func fail(out http.ResponseWriter, kind string) {
	out.Header().Set("X-Amzn-Errortype", kind)
	send(out, http.StatusBadRequest, map[string]any{"__type": kind, "message": "so it is"})
}

// send sends JSON with the checksum that DynamoDB's client asks for.
func send(out http.ResponseWriter, status int, body any) {
	content, _ := json.Marshal(body)
	out.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(content)), 10))
	out.WriteHeader(status)
	_, _ = out.Write(content)
}

func orFail(out http.ResponseWriter, is map[string]any, body any) {
	if is == nil {
		fail(out, "ResourceNotFoundException")
		return
	}
	answer(out, body)
}
