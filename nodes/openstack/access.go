package openstack

// AccessRule is one kind of call that a driver makes, in the form that
// Keystone takes for the access rules of an application credential.
type AccessRule struct {
	Service string `json:"service"`
	Method  string `json:"method"`
	Path    string `json:"path"`
}

// AccessRules returns every kind of call that a driver makes after its login.
// An application credential that has these rules can do what a provisioner
// needs and nothing else. TestAccessRules holds the list against the calls
// themselves.
func AccessRules() []AccessRule {
	var rules []AccessRule
	for _, r := range []struct {
		service, path string
		methods       []string
	}{
		{"compute", "/v2.1/flavors/detail", []string{"GET"}},
		{"compute", "/v2.1/limits", []string{"GET"}},
		{"compute", "/v2.1/os-availability-zone", []string{"GET"}},
		{"compute", "/v2.1/os-keypairs", []string{"GET", "POST"}},
		{"compute", "/v2.1/os-keypairs/{name}", []string{"GET", "DELETE"}},
		{"compute", "/v2.1/os-server-groups", []string{"GET"}},
		{"compute", "/v2.1/servers", []string{"POST"}},
		{"compute", "/v2.1/servers/detail", []string{"GET"}},
		{"compute", "/v2.1/servers/{id}", []string{"GET", "DELETE"}},
		{"image", "/v2/images", []string{"GET"}},
		{"network", "/v2.0/floatingips", []string{"GET", "POST"}},
		{"network", "/v2.0/floatingips/{id}", []string{"GET", "DELETE"}},
		{"network", "/v2.0/networks", []string{"GET"}},
		{"network", "/v2.0/networks/{id}", []string{"GET"}},
		{"network", "/v2.0/ports", []string{"GET", "POST"}},
		{"network", "/v2.0/ports/{id}", []string{"GET", "DELETE"}},
		{"network", "/v2.0/security-groups", []string{"GET"}},
	} {
		for _, method := range r.methods {
			rules = append(rules, AccessRule{r.service, method, r.path})
		}
	}
	return rules
}
