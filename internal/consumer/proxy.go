package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"
)

// version is made of the content of the files: equal files have an equal version, so what
// was compiled of them is found again.
func version(root string, files []string) (string, error) {
	sum := sha256.New()
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(root, f)) //nolint:gosec // G304: a file of this repository
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n", f, len(text))
		sum.Write(text)
	}
	return "v0.0.0-consumer." + hex.EncodeToString(sum.Sum(nil)[:6]), nil
}

// writeProxy writes a folder that a file: address of GOPROXY may name, with one version
// of the module. It returns the size of its zip.
func writeProxy(dir, root, version string, files []string) (int64, error) {
	dir = filepath.Join(dir, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod")) //nolint:gosec // G304: a file of this repository
	if err != nil {
		return 0, err
	}
	info := fmt.Sprintf(`{"Version":%q,"Time":%q}`, version, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339))
	for name, text := range map[string]string{"list": version + "\n", version + ".info": info, version + ".mod": string(mod)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return 0, err
		}
	}
	name := filepath.Join(dir, version+".zip")
	if err := writeZip(name, root, module+"@"+version, files); err != nil {
		return 0, err
	}
	at, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	return at.Size(), nil
}

func writeZip(name, root, prefix string, files []string) error {
	f, err := os.Create(name) //nolint:gosec // G304: below a folder of our own
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	for _, file := range files {
		w, err := z.Create(path.Join(prefix, filepath.ToSlash(file)))
		if err != nil {
			return err
		}
		if err := copyFile(w, filepath.Join(root, file)); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}

func copyFile(w io.Writer, name string) error {
	f, err := os.Open(name) //nolint:gosec // G304: a file of this repository
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
