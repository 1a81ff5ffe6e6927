package ec2

import "encoding/json"

// spec is Offer.Spec: all that a call of RunInstances says, but for the
// order's ID, number and user data. An order that is sent again is therefore
// the same also where the configuration, the image behind a name or a
// template's default version have changed since; EC2 would refuse another one.
type spec struct {
	Version         int               `json:"v"`
	Type            string            `json:"type"`
	Subnet          string            `json:"subnet"`
	Zone            string            `json:"zone"` // of the subnet: EC2's token is good for one zone, and the subnet keeps the order there
	Image           string            `json:"image"`
	Market          Market            `json:"market"`                // Spot or OnDemand
	Reservation     string            `json:"reservation,omitempty"` // an ID, "open" or "none"
	RootDevice      string            `json:"root"`
	RootGiB         int32             `json:"rootGiB"`
	Groups          []string          `json:"groups,omitempty"`
	Profile         string            `json:"profile,omitempty"`
	Key             string            `json:"key,omitempty"`
	Public          bool              `json:"public,omitempty"`
	Template        string            `json:"template,omitempty"` // its ID
	TemplateVersion string            `json:"templateVersion,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
}

const specVersion = 1

// parseSpec reads what Offers wrote, in this or an earlier version of the
// program.
func parseSpec(text string) (*spec, error) {
	var s spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, configuration("the offer is not one of this driver's: %w", err)
	}
	if s.Version != specVersion || s.Type == "" || s.Subnet == "" || s.Image == "" || s.RootDevice == "" {
		return nil, configuration("the offer is not one of this version of the driver's (version %d)", s.Version)
	}
	return &s, nil
}

func (s *spec) String() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic("ec2: a struct of strings has no JSON: " + err.Error())
	}
	return string(text)
}

// name is what people are shown of the offer: "m7g.xlarge,
// ap-northeast-2b, spot".
func (s *spec) name() string { return s.Type + ", " + s.Zone + ", " + s.how() }

func (s *spec) how() string {
	if reserveName.MatchString(s.Reservation) {
		return "reservation " + s.Reservation
	}
	return string(s.Market)
}

func (s *spec) typeScope() string   { return s.Type + " " + s.Zone + " " + s.how() }
func (s *spec) marketScope() string { return "market " + string(s.Market) }

// scopes are the offer's: what it may be short of.
func (s *spec) scopes() []string { return []string{s.typeScope(), s.Subnet, s.marketScope()} }
