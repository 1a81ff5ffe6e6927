package openstack

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
)

// What is sent to make machines is exactly this, for each setting of a place.
func TestCreateRequest(t *testing.T) {
	f := newFake(t)
	f.answer("GET /network/v2.0/security-groups", 200, `{"security_groups": [{"id": "44444444-0000-0000-0000-000000000000", "name": "batch"}]}`)
	f.answer("GET /compute/v2.1/os-server-groups", 200, `{"server_groups": [{"id": "55555555-0000-1000-a000-000000000000", "name": "apart"}]}`)
	plain := map[string]any{
		"name": "own_o-1", "min_count": 1.0, "max_count": 3.0, "flavorRef": "1", "imageRef": "22222222-0000-0000-0000-000000000000",
		"networks": []any{map[string]any{"uuid": "11111111-0000-0000-0000-000000000000"}},
		"tags":     []any{"batchctl:owner=own", "batchctl:order=o-1"},
		"metadata": map[string]any{"batchctl:owner": "own", "batchctl:order": "o-1", "batchctl:place": "here", "batchctl:scope": "m1.tiny any zone"},
	}
	with := func(changes map[string]any) map[string]any {
		all := map[string]any{}
		for k, v := range plain {
			all[k] = v
		}
		for k, v := range changes {
			all[k] = v
		}
		return all
	}
	for name, test := range map[string]struct {
		place func(*Place)
		order func(*nodes.Order)
		want  map[string]any
		hints map[string]any
	}{
		"plain": {nil, nil, plain, nil},
		"one":   {nil, func(o *nodes.Order) { o.Count = 1 }, with(map[string]any{"name": "own_o-1-1", "max_count": 1.0}), nil},
		"zone": {func(p *Place) { p.Zones = []string{"az-1"} }, nil, with(map[string]any{
			"availability_zone": "az-1",
			"metadata":          map[string]any{"batchctl:owner": "own", "batchctl:order": "o-1", "batchctl:place": "here", "batchctl:scope": "m1.tiny az-1"},
		}), nil},
		"long names": {func(p *Place) { p.Zones = []string{strings.Repeat("z", 255)} }, nil, with(map[string]any{
			"availability_zone": strings.Repeat("z", 255),
			"metadata":          map[string]any{"batchctl:owner": "own", "batchctl:order": "o-1", "batchctl:place": "here", "batchctl:scope": "m1.tiny " + strings.Repeat("z", 247)},
		}), nil},
		"groups": {func(p *Place) { p.SecurityGroups, p.ServerGroup = []string{"batch"}, "apart" }, nil,
			with(map[string]any{"security_groups": []any{map[string]any{"name": "44444444-0000-0000-0000-000000000000"}}}),
			map[string]any{"group": "55555555-0000-1000-a000-000000000000"}},
		"key":   {func(p *Place) { p.KeyName = "ops" }, nil, with(map[string]any{"key_name": "ops"}), nil},
		"drive": {func(p *Place) { p.ConfigDrive = true }, nil, with(map[string]any{"config_drive": true}), nil},
		"volume": {func(p *Place) { p.BootFromVolume, p.VolumeType = true, "fast" }, nil, with(map[string]any{
			"imageRef": "",
			"block_device_mapping_v2": []any{map[string]any{"boot_index": 0.0, "delete_on_termination": true, "destination_type": "volume",
				"source_type": "image", "uuid": "22222222-0000-0000-0000-000000000000", "volume_size": 1.0, "volume_type": "fast"}},
		}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			f.T, f.calls = t, nil
			d := f.driver(func(c *Config) {
				p := c.Places["here"]
				if test.place != nil {
					test.place(&p)
				}
				c.Places = map[string]Place{"here": p}
			})
			o := f.order(d, 3)
			if test.order != nil {
				test.order(&o)
			}
			_, _ = d.Launch(context.Background(), o) // the fake shows no servers; what was sent is looked at
			sent := f.called("POST /compute/v2.1/servers")
			if len(sent) != 1 {
				t.Fatalf("%d creates", len(sent))
			}
			var body map[string]map[string]any
			if err := json.Unmarshal([]byte(sent[0].body), &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, body["server"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.hints, body["os:scheduler_hints"]); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
			if sent[0].length <= 0 || sent[0].header.Get("OpenStack-API-Version") != "compute 2.67" {
				t.Errorf("Content-Length %d, %v", sent[0].length, sent[0].header)
			}
		})
	}
}

// User data is encoded always, also where it looks as if it were; what Nova
// would refuse for its length is refused here.
func TestUserDataIsEncoded(t *testing.T) {
	f := newFake(t)
	d := f.driver()
	for _, data := range []string{"#!/bin/sh\n", "abcd", strings.Repeat("x", mostUserData)} {
		f.calls = nil
		o := f.order(d, 1)
		o.UserData = data
		if _, err := d.Launch(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		var body struct {
			Server struct {
				UserData string `json:"user_data"`
			}
		}
		if err := json.Unmarshal([]byte(f.called("POST /compute/v2.1/servers")[0].body), &body); err != nil {
			t.Fatal(err)
		}
		text, err := base64.StdEncoding.DecodeString(body.Server.UserData)
		if err != nil || string(text) != data || len(body.Server.UserData) > 65535 {
			t.Errorf("%d bytes of user data arrive as %d, %v", len(data), len(text), err)
		}
	}
	o := f.order(d, 1)
	o.UserData = strings.Repeat("x", mostUserData+1)
	if _, err := d.Launch(context.Background(), o); nodes.ClassOf(err) != nodes.Configuration {
		t.Errorf("too long: %v", err)
	}
}
