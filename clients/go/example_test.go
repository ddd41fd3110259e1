package udist_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"udist.dev/plugin/udist"
)

func Example() {
	folder, err := os.MkdirTemp("", "registry")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	plugin, err := udist.Spawn(context.Background(), udist.Config{
		YAML: "version: 0.1\nstorage: {filesystem: {rootdirectory: " + folder + "}}\n",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()

	response, err := plugin.Client().Get("http://localhost/v2/_catalog")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Status, string(text))
	// Output: 200 OK {"repositories":[]}
}

func ExamplePlugin_ServeHTTP() {
	plugin, err := udist.Spawn(context.Background(), udist.Config{
		Env: []string{"REGISTRY_STORAGE=inmemory"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()

	recorder := httptest.NewRecorder()
	plugin.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/v2/", nil))
	fmt.Println(recorder.Code, recorder.Body)
	// Output: 200 {}
}

func ExampleError() {
	_, err := udist.Spawn(context.Background(), udist.Config{
		YAML: "version: 0.1\nstorage: {filesystem: {maxthreads: many}}\n",
	})
	var failure *udist.Error
	if errors.Is(err, udist.ErrHandshake) && errors.As(err, &failure) {
		fmt.Println(failure.Code, failure.ExitCode())
	}
	// Output: INVALID_ARGUMENT 78
}
