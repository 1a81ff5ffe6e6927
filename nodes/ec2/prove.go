package ec2

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/smallstep/pkcs7"
)

const (
	maxProof    = 16 << 10         // bytes; AWS' has about 2 KB
	maxProofAge = 24 * time.Hour   // since the machine was started
	clockSkew   = 15 * time.Minute // between AWS' clock and ours
)

// strong are the digests that are taken. AWS' older documents are signed with
// SHA-1 and DSA: those of /instance-identity/rsa2048 are not.
var strong = []asn1.ObjectIdentifier{pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDDigestAlgorithmSHA384, pkcs7.OIDDigestAlgorithmSHA512}

// identity is what is read of an instance identity document.
type identity struct {
	Account string    `json:"accountId"`
	Region  string    `json:"region"`
	Machine string    `json:"instanceId"`
	Pending time.Time `json:"pendingTime"`
}

// Prove returns nil where proof shows that whoever has sent it has read the
// metadata of the machine: it is what the machine finds at
// /latest/dynamic/instance-identity/rsa2048, AWS' signed identity document as
// PKCS#7 in base64, with or without PEM's lines around it. Nothing is fetched,
// and no certificate counts but those of the configuration:
//
//   - the signature says that AWS wrote the document, and for this region, as
//     each region has a certificate of its own;
//   - the instance's ID says that it is this machine's, so that one machine
//     cannot ask for what is another's;
//   - region and account say that it is no machine of a stranger who rents
//     from AWS too, where the account is configured;
//   - the time says that it is of a machine that was started lately.
//
// It does not say that the document was sent by the machine itself: a document
// can be copied by whoever can read it there. It counts only beside the
// order's one-time token.
func (d *Driver) Prove(machine string, proof []byte) error {
	if len(d.certs) == 0 {
		return errors.New("ec2: no proof of a machine can be checked: name AWS' certificates in the configuration")
	}
	doc, err := d.open(proof)
	if err != nil {
		return fmt.Errorf("ec2: the proof of %s: %w", machine, err)
	}
	age := d.now().Sub(doc.Pending)
	switch {
	case machine == "" || doc.Machine != machine:
		err = fmt.Errorf("it is of %q", shorten(doc.Machine))
	case doc.Region != d.cfg.Region:
		err = fmt.Errorf("it is of the region %q", shorten(doc.Region))
	case d.cfg.Account != "" && doc.Account != d.cfg.Account:
		err = fmt.Errorf("it is of the account %q", shorten(doc.Account))
	case age > maxProofAge || age < -clockSkew:
		err = fmt.Errorf("it is of a machine started at %s", doc.Pending.UTC().Format(time.RFC3339))
	default:
		return nil
	}
	return fmt.Errorf("ec2: the proof of %s: %w", machine, err)
}

// open checks who signed a document, and reads it.
func (d *Driver) open(proof []byte) (identity, error) {
	var doc identity
	if len(proof) > maxProof {
		return doc, fmt.Errorf("it has %d bytes, more than %d", len(proof), maxProof)
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(proof)))
	n, err := base64.StdEncoding.Decode(der, bare(proof))
	if err != nil {
		return doc, errors.New("it is not in base64")
	}
	signed, err := pkcs7.Parse(der[:n])
	if err != nil {
		return doc, fmt.Errorf("it is no PKCS#7: %w", err)
	}
	// What certificates come with it is of no interest: with the configured
	// ones in their place, no other can be the signer's.
	signed.Certificates = d.certs
	if len(signed.Signers) != 1 {
		return doc, fmt.Errorf("it has %d signatures, not one", len(signed.Signers))
	}
	if digest := signed.Signers[0].DigestAlgorithm.Algorithm; !slices.ContainsFunc(strong, digest.Equal) {
		return doc, errors.New("it is signed with a weak digest: send the one of instance-identity/rsa2048")
	}
	signer := signed.GetOnlySigner()
	if signer == nil {
		return doc, errors.New("no certificate of the configuration has signed it")
	}
	if now := d.now(); now.Before(signer.NotBefore) || now.After(signer.NotAfter) {
		return doc, fmt.Errorf("its certificate is good from %s to %s: fetch AWS' new one", signer.NotBefore.Format(time.DateOnly), signer.NotAfter.Format(time.DateOnly))
	}
	if err := signed.Verify(); err != nil {
		return doc, fmt.Errorf("its signature is wrong: %w", err)
	}
	if err := json.Unmarshal(signed.Content, &doc); err != nil {
		return doc, errors.New("it is signed and no identity document")
	}
	return doc, nil
}

// bare takes PEM's first and last line away, and what is between the lines.
func bare(proof []byte) []byte {
	var text []byte
	for line := range bytes.Lines(proof) {
		if line = bytes.TrimSpace(line); !bytes.HasPrefix(line, []byte("-----")) {
			text = append(text, line...)
		}
	}
	return text
}

// readCerts reads the certificates of PEM files.
func readCerts(files []string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("ec2: certificates: %w", err)
		}
		found := len(all)
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("ec2: certificates: %s: %w", file, err)
			}
			all = append(all, cert)
		}
		if len(all) == found {
			return nil, fmt.Errorf("ec2: certificates: %s has no certificate in PEM", file)
		}
	}
	return all, nil
}
