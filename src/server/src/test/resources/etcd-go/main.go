// Registers, lists and resolves endpoints with etcd's own package naming/endpoints, for EtcdGoIT.
//
//	naming SERVER add SERVICE NAME ADDRESS METADATA   METADATA is JSON
//	naming SERVER list SERVICE                         prints KEY ADDRESS METADATA, in order
//	naming SERVER resolve SERVICE                      prints the addresses that grpc-go would dial
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
	"time"

	"go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/clientv3/naming/endpoints"
	naming "go.etcd.io/etcd/clientv3/naming/resolver"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
)

// The part of a grpc-go channel that a resolver sees.
type channel struct{ states chan resolver.State }

func (c channel) UpdateState(state resolver.State)                            { c.states <- state }
func (c channel) ReportError(err error)                                       { log.Fatal(err) }
func (c channel) NewAddress(addresses []resolver.Address)                     {}
func (c channel) NewServiceConfig(config string)                              {}
func (c channel) ParseServiceConfig(config string) *serviceconfig.ParseResult { return nil }

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{os.Args[1]}, DialTimeout: 5 * time.Second})
	check(err)
	service := os.Args[3]
	manager, err := endpoints.NewManager(client, service)
	check(err)
	switch os.Args[2] {
	case "add":
		var metadata interface{}
		check(json.Unmarshal([]byte(os.Args[6]), &metadata))
		check(manager.AddEndpoint(ctx, service+"/"+os.Args[4], endpoints.Endpoint{Addr: os.Args[5], Metadata: metadata}))
	case "list":
		all, err := manager.List(ctx)
		check(err)
		var lines []string
		for key, endpoint := range all {
			metadata, err := json.Marshal(endpoint.Metadata)
			check(err)
			lines = append(lines, fmt.Sprintf("%s %s %s", key, endpoint.Addr, metadata))
		}
		sort.Strings(lines)
		fmt.Println(strings.Join(lines, "\n"))
	case "resolve":
		builder, err := naming.NewBuilder(client)
		check(err)
		seen := channel{make(chan resolver.State, 1)}
		_, err = builder.Build(resolver.Target{Scheme: "etcd", Endpoint: service}, seen, resolver.BuildOptions{})
		check(err)
		select {
		case state := <-seen.states:
			var addresses []string
			for _, each := range state.Addresses {
				addresses = append(addresses, each.Addr)
			}
			sort.Strings(addresses)
			fmt.Println(strings.Join(addresses, "\n"))
		case <-ctx.Done():
			log.Fatal("nothing was resolved")
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
