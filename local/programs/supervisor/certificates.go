package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

type certificateRequest struct {
	Folder  string `json:"folder"`
	Servers []struct {
		Name      string   `json:"name"`
		Hosts     []string `json:"hosts"`
		Addresses []string `json:"addresses"`
	} `json:"servers"`
	// Clients are known to the API server by their common name (the user) and organization (the group).
	Clients []struct {
		Name  string `json:"name"`
		User  string `json:"user"`
		Group string `json:"group"`
	} `json:"clients"`
	// Keys are key pairs without a certificate (for signing service account tokens).
	Keys []string `json:"keys"`
}

// The stage is thrown away long before this.
const validity = 365 * 24 * time.Hour

type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func writeCertificates(request certificateRequest) error {
	if err := os.MkdirAll(request.Folder, 0o700); err != nil {
		return err
	}
	ca, err := newAuthority(request.Folder)
	if err != nil {
		return err
	}
	for _, server := range request.Servers {
		template := &x509.Certificate{
			Subject:     pkix.Name{CommonName: server.Name},
			DNSNames:    server.Hosts,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		for _, address := range server.Addresses {
			template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
		}
		if err := ca.issue(request.Folder, server.Name, template); err != nil {
			return err
		}
	}
	for _, client := range request.Clients {
		subject := pkix.Name{CommonName: client.User}
		if client.Group != "" {
			subject.Organization = []string{client.Group}
		}
		template := &x509.Certificate{Subject: subject, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		if err := ca.issue(request.Folder, client.Name, template); err != nil {
			return err
		}
	}
	for _, name := range request.Keys {
		if _, err := newKey(request.Folder, name); err != nil {
			return err
		}
	}
	return nil
}

func newAuthority(folder string) (*authority, error) {
	key, err := newKey(folder, "ca")
	if err != nil {
		return nil, err
	}
	ca := &authority{key: key, certificate: &x509.Certificate{
		Subject:               pkix.Name{CommonName: "bluegreen-local"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}}
	// An authority issues itself, so the template is its own parent.
	return ca, ca.write(folder, "ca", ca.certificate, key)
}

func (ca *authority) issue(folder, name string, template *x509.Certificate) error {
	key, err := newKey(folder, name)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	return ca.write(folder, name, template, key)
}

func (ca *authority) write(folder, name string, template *x509.Certificate, key *ecdsa.PrivateKey) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template.SerialNumber = serial
	// A little in the past: clocks inside containers may differ by a moment.
	template.NotBefore = time.Now().Add(-time.Minute)
	template.NotAfter = time.Now().Add(validity)
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, &key.PublicKey, ca.key)
	if err != nil {
		return err
	}
	return writePEM(filepath.Join(folder, name+".crt"), "CERTIFICATE", der)
}

func newKey(folder, name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(filepath.Join(folder, name+".key"), "EC PRIVATE KEY", private)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
