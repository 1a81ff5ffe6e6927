package ec2

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
)

// signer stands for AWS' of a region.
type signer struct {
	cert *x509.Certificate
	key  crypto.Signer
	file string // the certificate in PEM
}

func newSigner(t *testing.T, serial int64, until time.Time) *signer {
	t.Helper()
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	return newSignerOf(t, key, serial, until)
}

func newSignerOf(t *testing.T, key crypto.Signer, serial int64, until time.Time) *signer {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "cloud of the test"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	s := &signer{cert: must(x509.ParseCertificate(der)), key: key, file: filepath.Join(t.TempDir(), "cert.pem")}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(s.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// sign signs as AWS does: without the certificate, with the document inside.
func (s *signer) sign(document string, digest asn1.ObjectIdentifier) []byte {
	data := must(pkcs7.NewSignedData([]byte(document)))
	data.SetDigestAlgorithm(digest)
	if err := data.AddSigner(s.cert, s.key, pkcs7.SignerInfoConfig{}); err != nil {
		panic(err)
	}
	return bareData(data)
}

// bareData leaves the certificates out.
func bareData(data *pkcs7.SignedData) []byte {
	inner := must(asn1.Marshal(*data.GetSignedData()))
	return must(asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{pkcs7.OIDSignedData, asn1.RawValue{Class: 2, Tag: 0, Bytes: inner, IsCompound: true}}))
}

func document(machine string, change ...string) string {
	text := fmt.Sprintf(`{"accountId":"123456789012","architecture":"x86_64","availabilityZone":"us-east-1a","billingProducts":null,"imageId":"ami-1",`+
		`"instanceId":"%s","instanceType":"m5.large","pendingTime":"%s","privateIp":"10.0.0.7","region":"us-east-1","version":"2017-09-30"}`,
		machine, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
	return strings.NewReplacer(change...).Replace(text)
}

// asText writes base64 in lines, as the metadata service does.
func asText(der []byte) []byte {
	text := base64.StdEncoding.EncodeToString(der)
	var lines strings.Builder
	for len(text) > 64 {
		lines.WriteString(text[:64] + "\n")
		text = text[64:]
	}
	return []byte(lines.String() + text)
}

// metadata is a machine's metadata service, with the session token that IMDSv2
// wants.
func metadata(t *testing.T, proof []byte) (fetch func() []byte) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
			_, _ = io.WriteString(w, "session")
		case r.Header.Get("X-aws-ec2-metadata-token") != "session":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/latest/dynamic/instance-identity/rsa2048":
			_, _ = w.Write(proof)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	do := func(method, path, token string) []byte {
		req := must(http.NewRequest(method, server.URL+path, nil))
		req.Header.Set("X-aws-ec2-metadata-token", token)
		res := must(http.DefaultClient.Do(req))
		defer res.Body.Close()
		return must(io.ReadAll(res.Body))
	}
	return func() []byte {
		return do(http.MethodGet, "/latest/dynamic/instance-identity/rsa2048", string(do(http.MethodPut, "/latest/api/token", "")))
	}
}

func proveDriver(t *testing.T, account string, files ...string) *Driver {
	t.Helper()
	return must(New(background, Config{Owner: "o", Region: "us-east-1", Account: account, IdentityCerts: files,
		Places: map[string]Place{"p": {Subnets: []string{"subnet-1"}, Images: map[string]Image{"amd64": {ID: "ami-1"}}}}}))
}

const machineID = "i-0123456789abcdef0"

// What a machine reads from its metadata proves that it is that machine.
func TestProve(t *testing.T) {
	aws := newSigner(t, 1, time.Now().Add(time.Hour))
	old := newSigner(t, 2, time.Now().Add(time.Hour))
	d := proveDriver(t, "123456789012", old.file, aws.file)
	proof := metadata(t, asText(aws.sign(document(machineID), pkcs7.OIDDigestAlgorithmSHA256)))()
	if err := d.Prove(machineID, proof); err != nil {
		t.Error(err)
	}
	wrapped := append(append([]byte("-----BEGIN PKCS7-----\n"), proof...), "\n-----END PKCS7-----\n"...)
	if err := d.Prove(machineID, wrapped); err != nil {
		t.Errorf("with PEM's lines: %v", err)
	}
	if err := d.Prove(machineID, asText(old.sign(document(machineID), pkcs7.OIDDigestAlgorithmSHA256))); err != nil {
		t.Errorf("the other certificate: %v", err)
	}
	if err := proveDriver(t, "", aws.file).Prove(machineID, proof); err != nil {
		t.Errorf("without an account: %v", err)
	}
	if err := proveDriver(t, "").Prove(machineID, proof); err == nil {
		t.Error("without certificates everything is believed")
	}
}

// Everything else proves nothing.
func TestProveNot(t *testing.T) {
	aws := newSigner(t, 1, time.Now().Add(time.Hour))
	d := proveDriver(t, "123456789012", aws.file)
	sha := pkcs7.OIDDigestAlgorithmSHA256
	good := aws.sign(document(machineID), sha)
	// A stranger with a certificate of the same name and number.
	stranger := newSigner(t, 1, time.Now().Add(time.Hour))
	bytesOf := func(old, new string) []byte { return bytes.Replace(good, []byte(old), []byte(new), 1) }
	withCert := must(pkcs7.NewSignedData([]byte(document(machineID))))
	if err := withCert.AddSigner(stranger.cert, stranger.key, pkcs7.SignerInfoConfig{}); err != nil {
		t.Fatal(err)
	}
	two := must(pkcs7.NewSignedData([]byte(document(machineID))))
	for _, s := range []*signer{aws, stranger} {
		if err := two.AddSigner(s.cert, s.key, pkcs7.SignerInfoConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		proof []byte
		want  string
	}{
		"nothing":           {nil, "no PKCS#7"},
		"not base64":        {[]byte("!!!!"), "not in base64"},
		"garbage":           {asText([]byte("garbage")), "no PKCS#7"},
		"half":              {asText(good[:len(good)/2]), "no PKCS#7"},
		"huge":              {bytes.Repeat([]byte("A"), 1<<20), "1048576 bytes"},
		"no signature":      {asText(must(must(pkcs7.NewSignedData([]byte(document(machineID)))).Finish())), "0 signatures"},
		"stranger":          {asText(stranger.sign(document(machineID), sha)), "signature is wrong"},
		"stranger's own":    {asText(must(withCert.Finish())), ""},
		"unknown number":    {asText(newSigner(t, 99, time.Now().Add(time.Hour)).sign(document(machineID), sha)), "no certificate of the configuration"},
		"two signatures":    {asText(bareData(two)), "2 signatures"},
		"changed machine":   {asText(bytesOf(machineID, "i-0123456789abcdef1")), "signature is wrong"},
		"changed signature": {asText(append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1)), "signature is wrong"},
		"another machine":   {asText(aws.sign(document("i-0123456789abcdef1"), sha)), `it is of "i-0123456789abcdef1"`},
		"no machine":        {asText(aws.sign(document(""), sha)), `it is of ""`},
		"another region":    {asText(aws.sign(document(machineID, "us-east-1", "us-west-2"), sha)), `region "us-west-2"`},
		"another account":   {asText(aws.sign(document(machineID, "123456789012", "999999999999"), sha)), `account "999999999999"`},
		"long ago":          {asText(aws.sign(document(machineID, time.Now().UTC().Format("2006-"), "2020-"), sha)), "started at 2020-"},
		"in future":         {asText(aws.sign(document(machineID, time.Now().UTC().Format("2006-"), "2099-"), sha)), "started at 2099-"},
		"no time":           {asText(aws.sign(document(machineID, "pendingTime", "x"), sha)), "started at 0001-"},
		"no document":       {asText(aws.sign("hello", sha)), "no identity document"},
		"weak digest":       {asText(aws.sign(document(machineID), pkcs7.OIDDigestAlgorithmSHA1)), "weak digest"},
	} {
		if err := d.Prove(machineID, test.proof); err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 1000 {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	if err := d.Prove("", asText(aws.sign(document(""), sha))); err == nil {
		t.Error("a document of no machine proves that nobody is nobody")
	}
	over := newSigner(t, 5, time.Now().Add(-time.Hour))
	if err := proveDriver(t, "", over.file).Prove(machineID, asText(over.sign(document(machineID), sha))); err == nil {
		t.Error("a certificate counts whose time is over")
	}
	later := proveDriver(t, "", aws.file)
	later.now = func() time.Time { return time.Now().Add(2 * time.Hour) } // signed while its certificate was good
	if err := later.Prove(machineID, asText(good)); err == nil || !strings.Contains(err.Error(), "fetch AWS' new one") {
		t.Errorf("a certificate counts whose time has ended since: %v", err)
	}
}

// Other keys are as good, where AWS should come to use them.
func TestProveECDSA(t *testing.T) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	aws := newSignerOf(t, key, 3, time.Now().Add(time.Hour))
	if err := proveDriver(t, "", aws.file).Prove(machineID, asText(aws.sign(document(machineID), pkcs7.OIDDigestAlgorithmSHA256))); err != nil {
		t.Error(err)
	}
}

// Files of certificates that are none are told when the driver is made.
func TestReadCerts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none.pem")
	for _, text := range []string{"", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if _, err := readCerts([]string{file}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readCerts([]string{file}); err == nil {
		t.Error("no error")
	}
}

// No damage makes Prove panic, or believe that the machine is another.
func TestProveDamaged(t *testing.T) {
	aws := newSigner(t, 1, time.Now().Add(time.Hour))
	d := proveDriver(t, "", aws.file)
	good := aws.sign(document("i-1"), pkcs7.OIDDigestAlgorithmSHA256)
	for i := range good {
		for _, flip := range []byte{0x01, 0x20, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			if err := d.Prove(machineID, asText(bad)); err == nil {
				t.Errorf("byte %d changed by %x proves to be %s", i, flip, machineID)
			}
		}
		if err := d.Prove("i-1", asText(good[:i])); err == nil {
			t.Errorf("the first %d bytes are enough", i)
		}
	}
}
