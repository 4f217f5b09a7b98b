package portal

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Without "all:", files whose names begin with "." or "_" would be left out.
//
//go:embed all:site
var site embed.FS

// BuiltFolder is the folder of the built files, as it begins their addresses. Below it is one folder, whose name
// changes with anything in it: browsers may keep its files for good.
const BuiltFolder = "built/"

// entries are the files that index.html names and that are built, by the names that they get.
var entries = map[string]string{"start.js": "js/start.js", "main.js": "js/main.js", "page.css": "css/page.css"}

// Files returns the files of the page by their paths: those of the folder site as they stand, and those that index.html
// starts with put together and without comments, below BuiltFolder. docs/adr/0050-start.md says why.
//
// The same files always give the same bytes. An error says what in them is wrong.
func Files() (map[string][]byte, error) {
	files, err := read()
	if err != nil {
		return nil, err
	}
	built, early, err := build(files)
	if err != nil {
		return nil, err
	}
	folder := BuiltFolder + hash(built) + "/"
	index := string(files["index.html"])
	for name, source := range entries {
		index = strings.Replace(index, `"`+source+`"`, `"`+folder+name+`"`, 1)
	}
	var links strings.Builder
	for _, name := range early {
		fmt.Fprintf(&links, "  <link rel=\"modulepreload\" href=\"%s\">\n", folder+name)
	}
	files["index.html"] = []byte(strings.Replace(index, "</head>", links.String()+"</head>", 1))
	for name, content := range built {
		files[folder+name] = content
	}
	return files, nil
}

func read() (map[string][]byte, error) {
	files := make(map[string][]byte)
	err := fs.WalkDir(site, "site", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := site.ReadFile(name)
		files[strings.TrimPrefix(name, "site/")] = content
		return err
	})
	return files, err
}

// build puts the entries together with what they import, in as few files as there are moments at which they are needed.
// early are the files that main.js imports: a browser that is told asks for them before it has read main.js.
func build(files map[string][]byte) (built map[string][]byte, early []string, err error) {
	options := api.BuildOptions{
		Bundle: true, Splitting: true, Format: api.FormatESModule, Target: api.ES2022, Outdir: "/",
		MinifyWhitespace: true, MinifySyntax: true, MinifyIdentifiers: true, LegalComments: api.LegalCommentsNone,
		Sourcemap: api.SourceMapLinked, Metafile: true, Plugins: []api.Plugin{from(files)},
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		output := strings.TrimSuffix(name, path.Ext(name))
		options.EntryPointsAdvanced = append(options.EntryPointsAdvanced,
			api.EntryPoint{InputPath: entries[name], OutputPath: output})
	}
	result := api.Build(options)
	for _, message := range slices.Concat(result.Errors, result.Warnings) {
		err = errors.Join(err, fmt.Errorf("put the page's files together: %s", message.Text))
	}
	if err != nil {
		return nil, nil, err
	}
	built = make(map[string][]byte)
	for _, file := range result.OutputFiles {
		built[path.Base(file.Path)] = file.Contents
	}
	early, err = importsOf(result.Metafile, "main.js")
	return built, early, err
}

// from has the builder read files from memory, by their paths.
func from(files map[string][]byte) api.Plugin {
	const space = "site"
	loaders := map[string]api.Loader{".js": api.LoaderJS, ".css": api.LoaderCSS}
	return api.Plugin{Name: space, Setup: func(b api.PluginBuild) {
		imported := api.OnResolveOptions{Filter: `^[\w./-]+\.(js|css)$`}
		b.OnResolve(imported, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: path.Join(path.Dir(a.Importer), a.Path), Namespace: space}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: space}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			content, ok := files[a.Path]
			if !ok {
				return api.OnLoadResult{}, fmt.Errorf("%s is imported, and not there", a.Path)
			}
			text := string(content)
			return api.OnLoadResult{Contents: &text, Loader: loaders[path.Ext(a.Path)]}, nil
		})
	}}
}

// importsOf reads from the builder's account of its work which files an output imports as soon as it is there.
func importsOf(metafile, output string) ([]string, error) {
	var account struct {
		Outputs map[string]struct {
			Imports []struct{ Path, Kind string }
		}
	}
	if err := json.Unmarshal([]byte(metafile), &account); err != nil {
		return nil, fmt.Errorf("read what the page's builder made: %w", err)
	}
	var imports []string
	for name, made := range account.Outputs {
		if path.Base(name) != output {
			continue
		}
		for _, i := range made.Imports {
			if i.Kind == "import-statement" {
				imports = append(imports, path.Base(i.Path))
			}
		}
	}
	slices.Sort(imports)
	return imports, nil
}

// hash is one value for all files: they are deployed together.
func hash(files map[string][]byte) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s %d\n", name, len(files[name]))
		sum.Write(files[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
