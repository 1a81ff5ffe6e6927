package ec2

import "github.com/batchctl/batchctl/nodes"

// What to do about what people have to mend.
const (
	hintAccess  = "give the provisioner the policy of docs/ec2.md, and let check try again"
	hintKeys    = "check the credentials that the provisioner runs with"
	hintAccount = "the account's owner has to put this in order with AWS"
	hintQuota   = "ask AWS for more under Service Quotas, or use another region or market"
	hintPlace   = "correct the place in the configuration"
)

// meanings says what each of EC2's error codes means for an order. Codes are
// from the documented list "Error codes for the Amazon EC2 API"; which of them
// come from RunInstances was also compared with what Karpenter, ParallelCluster
// and Gardener's machine controller do about them. The classes are ours. A
// name that ends with * stands for all that begin so.
//
// HTTP's status says nothing: InsufficientInstanceCapacity comes with 500.
// What is not here is not known, and the order is sent again.
var meanings = map[string]meaning{
	// There is none here now: the next offer.
	"InsufficientInstanceCapacity":         {nodes.NoCapacity, oneType, ""},
	"InsufficientCapacity":                 {nodes.NoCapacity, oneType, ""},
	"InsufficientCapacityOnHost":           {nodes.NoCapacity, oneType, ""},
	"InsufficientHostCapacity":             {nodes.NoCapacity, oneType, ""},
	"InsufficientReservedInstanceCapacity": {nodes.NoCapacity, oneType, ""},
	"ReservationCapacityExceeded":          {nodes.NoCapacity, oneType, ""},
	"UnfulfillableCapacity":                {nodes.NoCapacity, oneType, ""},
	"Unsupported":                          {nodes.NoCapacity, oneType, ""}, // this zone does not have the type
	"SpotMaxPriceTooLow":                   {nodes.NoCapacity, oneType, ""},
	"InsufficientVolumeCapacity":           {nodes.NoCapacity, oneSubnet, ""},
	"VolumeTypeNotAvailableInZone":         {nodes.NoCapacity, oneSubnet, ""},
	"InsufficientFreeAddressesInSubnet":    {nodes.NoCapacity, oneSubnet, "use a larger subnet, or more of them"},
	"InsufficientAddressCapacity":          {nodes.NoCapacity, wholePlace, ""}, // public addresses

	// The account may have no more.
	"InstanceLimitExceeded":          {nodes.Quota, oneMarket, hintQuota},
	"VcpuLimitExceeded":              {nodes.Quota, oneMarket, hintQuota},
	"MaxSpotInstanceCountExceeded":   {nodes.Quota, oneMarket, hintQuota},
	"SpotInstanceCountLimitExceeded": {nodes.Quota, oneMarket, hintQuota},
	"VolumeLimitExceeded":            {nodes.Quota, wholePlace, hintQuota},
	"MaxIOPSLimitExceeded":           {nodes.Quota, wholePlace, hintQuota},
	"ResourceLimitExceeded":          {nodes.Quota, wholePlace, hintQuota},
	"ResourceCountExceeded":          {nodes.Quota, wholePlace, hintQuota},
	"ResourceCountLimitExceeded":     {nodes.Quota, wholePlace, hintQuota},
	"NetworkInterfaceLimitExceeded":  {nodes.Quota, wholePlace, hintQuota},
	"AddressLimitExceeded":           {nodes.Quota, wholePlace, hintQuota},
	"PrivateIpAddressLimitExceeded":  {nodes.Quota, wholePlace, hintQuota},

	// Asked too often.
	"RequestLimitExceeded":  {nodes.Throttled, wholePlace, ""},
	"Throttling*":           {nodes.Throttled, wholePlace, ""},
	"ThrottledException":    {nodes.Throttled, wholePlace, ""},
	"EC2ThrottledException": {nodes.Throttled, wholePlace, ""},
	"TooManyRequests*":      {nodes.Throttled, wholePlace, ""},
	"RequestThrottled*":     {nodes.Throttled, wholePlace, ""},

	// It can never work as it is configured.
	"AuthFailure":                      {nodes.Configuration, wholePlace, hintKeys},
	"SignatureDoesNotMatch":            {nodes.Configuration, wholePlace, hintKeys},
	"InvalidClientTokenId":             {nodes.Configuration, wholePlace, hintKeys}, // of STS: an unknown access key
	"UnrecognizedClientException":      {nodes.Configuration, wholePlace, hintKeys}, // of SSM: the same
	"MissingAuthenticationToken":       {nodes.Configuration, wholePlace, hintKeys},
	"ExpiredToken*":                    {nodes.Configuration, wholePlace, hintKeys},
	"RequestExpired":                   {nodes.Configuration, wholePlace, "set this host's clock: the request bears a time that is too old"},
	"UnauthorizedOperation":            {nodes.Configuration, wholePlace, hintAccess},
	"AccessDenied*":                    {nodes.Configuration, wholePlace, hintAccess},
	"OptInRequired":                    {nodes.Configuration, wholePlace, hintAccount},
	"PendingVerification":              {nodes.Configuration, wholePlace, hintAccount},
	"Blocked":                          {nodes.Configuration, wholePlace, hintAccount},
	"OperationDisabledDueToSanctions":  {nodes.Configuration, wholePlace, hintAccount},
	"UnsupportedOperation":             {nodes.Configuration, wholePlace, hintPlace},
	"UnsupportedHostConfiguration":     {nodes.Configuration, wholePlace, hintPlace},
	"InvalidParameter*":                {nodes.Configuration, wholePlace, hintPlace},
	"MissingParameter":                 {nodes.Configuration, wholePlace, hintPlace},
	"UnknownParameter":                 {nodes.Configuration, wholePlace, hintPlace},
	"MalformedQueryString":             {nodes.Configuration, wholePlace, hintPlace},
	"InvalidAMIID*":                    {nodes.Configuration, wholePlace, "name an image that is there and that this account may use"},
	"InvalidAMIName*":                  {nodes.Configuration, wholePlace, hintPlace},
	"InvalidBlockDeviceMapping":        {nodes.Configuration, wholePlace, "the root volume must be as large as the image's: raise root_min"},
	"InvalidSnapshot*":                 {nodes.Configuration, wholePlace, "the image's snapshot cannot be used: name another image"},
	"InvalidSubnet*":                   {nodes.Configuration, oneSubnet, "name a subnet that is there"},
	"InvalidGroup*":                    {nodes.Configuration, wholePlace, "name a security group of the subnets' network; a new one may take a while to be known"},
	"InvalidSecurityGroup*":            {nodes.Configuration, wholePlace, "name a security group of the subnets' network"},
	"InvalidKeyPair*":                  {nodes.Configuration, wholePlace, "name a key pair of this region"},
	"InvalidIamInstanceProfile*":       {nodes.Configuration, wholePlace, "name an instance profile that is there"},
	"NoSuchEntity":                     {nodes.Configuration, wholePlace, "name an instance profile that is there"}, // moto; EC2 itself says InvalidParameterValue
	"InvalidLaunchTemplate*":           {nodes.Configuration, wholePlace, "name a launch template that is there"},
	"InvalidCapacityReservationId*":    {nodes.Configuration, oneType, "name a capacity reservation that is there"},
	"InvalidCapacityReservationState*": {nodes.Configuration, oneType, "the capacity reservation is not active"},
	"InvalidZone*":                     {nodes.Configuration, wholePlace, hintPlace},
	"InvalidAvailabilityZone":          {nodes.Configuration, wholePlace, hintPlace},
	"InvalidInstanceType":              {nodes.Configuration, oneType, "this type is not to be had in this region"},
	"InvalidUserData*":                 {nodes.Configuration, wholePlace, "the user data is refused: it may have 16 KB"},
	"InvalidTag*":                      {nodes.Configuration, wholePlace, "correct the place's tags"},
	"TagLimitExceeded":                 {nodes.Configuration, wholePlace, "give the place fewer tags"},
	"InvalidVpc*":                      {nodes.Configuration, wholePlace, hintPlace},
	"InvalidNetworkInterface*":         {nodes.Configuration, wholePlace, hintPlace},
	"VPCIdNotSpecified":                {nodes.Configuration, wholePlace, "name subnets: this account has no default network"},
	"VPCResourceNotSpecified":          {nodes.Configuration, wholePlace, "this type needs a subnet"},
	"InvalidKmsKey*":                   {nodes.Configuration, wholePlace, "the key that encrypts volumes cannot be used"},
	"KMSKeyNotAccessibleFault":         {nodes.Configuration, wholePlace, "the key that encrypts volumes cannot be used"},
	"EncryptedVolumesNotSupported":     {nodes.Configuration, oneType, "this type takes no encrypted volumes: leave it out"},
	"ParameterNotFound":                {nodes.Configuration, wholePlace, "name an SSM parameter that is there"},
	"ParameterVersionNotFound":         {nodes.Configuration, wholePlace, "name an SSM parameter that is there"},
	"ValidationException":              {nodes.Configuration, wholePlace, hintPlace}, // of SSM
}

// reasons says what it means that a machine ended by itself, from the code in
// its StateReason (documented with DescribeInstances). Ends that are not here,
// as by a shutdown in the machine or by TerminateInstances, are plain ends.
var reasons = map[string]meaning{
	"Server.InsufficientInstanceCapacity": {nodes.NoCapacity, oneType, ""},
	"Server.SpotInstanceTermination":      {nodes.NoCapacity, oneType, "EC2 took the spot machine back"},
	"Server.SpotInstanceShutdown":         {nodes.NoCapacity, oneType, "EC2 took the spot machine back"},
	"Client.VolumeLimitExceeded":          {nodes.Quota, wholePlace, hintQuota},
	"Client.InternalError":                {nodes.Configuration, wholePlace, "most often the key that encrypts the volume cannot be used"},
	"Client.InvalidSnapshot.NotFound":     {nodes.Configuration, wholePlace, "the image's snapshot is not there: name another image"},
	"Server.InternalError":                {nodes.Unsure, wholePlace, "EC2 could not start it"},
}
