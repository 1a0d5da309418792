#include "mesh/internal_ca/credentials.hpp"

#include "mesh/internal_ca/openssl.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

namespace internal_ca {

base::Result<std::string> make_key_pem() {
  KeyPtr const key(EVP_EC_gen("P-256"));
  BioPtr const bio(BIO_new(BIO_s_mem()));
  if (key == nullptr || PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return crypto_failure("cannot make a P-256 key");
  }
  return content_of(bio.get());
}

namespace {

bool add_name(X509_REQ* request, std::string const& node) {
  X509_NAME* const name = X509_REQ_get_subject_name(request);
  auto const* const text = reinterpret_cast<unsigned char const*>(node.c_str());
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) != 1) {
    return false;
  }
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  std::string const alternative = "DNS:" + node;
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative.c_str());
  bool added = extension != nullptr && sk_X509_EXTENSION_push(extensions, extension) > 0;
  added = added && X509_REQ_add_extensions(request, extensions) == 1;
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return added;
}

}  // namespace

base::Result<std::string> make_csr_pem(std::string const& key_pem, std::string const& node) {
  auto key = parse_key(key_pem);
  if (!key) {
    return key.error();
  }
  RequestPtr const request(X509_REQ_new());
  BioPtr const bio(BIO_new(BIO_s_mem()));
  bool const made = X509_REQ_set_version(request.get(), 0) == 1 && add_name(request.get(), node) &&
                    X509_REQ_set_pubkey(request.get(), key->get()) == 1 &&
                    X509_REQ_sign(request.get(), key->get(), EVP_sha256()) > 0 &&
                    PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1;
  if (!made) {
    return crypto_failure("cannot make a certificate request for " + node);
  }
  return content_of(bio.get());
}

base::Result<std::string> csr_name(std::string const& csr_pem) {
  auto request = parse_request(csr_pem);
  if (!request) {
    return request.error();
  }
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request->get());
  if (key == nullptr || X509_REQ_verify(request->get(), key) != 1) {
    ERR_clear_error();
    return base::fail(errc::bad_request, "the request is not signed by its own key");
  }
  std::array<char, 256> name{};
  X509_NAME* const subject = X509_REQ_get_subject_name(request->get());
  int const length = X509_NAME_get_text_by_NID(subject, NID_commonName, name.data(), static_cast<int>(name.size()));
  if (length <= 0) {
    return base::fail(errc::bad_request, "the request names nobody");
  }
  return std::string(name.data(), static_cast<std::size_t>(length));
}

base::Result<std::string> csr_key(std::string const& csr_pem) {
  auto request = parse_request(csr_pem);
  if (!request) {
    return request.error();
  }
  auto digest = key_digest(X509_REQ_get0_pubkey(request->get()));
  if (digest.empty()) {
    return base::fail(errc::bad_request, "the request has no key");
  }
  return digest;
}

base::Result<std::string> public_key_sha256(std::string const& key_pem) {
  auto key = parse_key(key_pem);
  return key ? base::Result<std::string>(key_digest(key->get())) : key.error();
}

base::Result<std::string> certificate_key_sha256(std::string const& certificate_pem) {
  auto certificate = parse_certificate(certificate_pem);
  return certificate ? base::Result<std::string>(key_digest(X509_get0_pubkey(certificate->get())))
                     : certificate.error();
}

base::Result<Validity> certificate_validity(std::string const& chain_pem, std::size_t place) {
  auto const chain = parse_certificates(chain_pem);
  if (!chain) {
    return chain.error();
  }
  if (place >= chain->size()) {
    return base::fail(errc::crypto, "there are only " + std::to_string(chain->size()) + " certificates");
  }
  X509* const one = chain->at(place).get();
  return Validity{seconds_of(X509_get0_notBefore(one)), seconds_of(X509_get0_notAfter(one))};
}

base::Result<std::int64_t> certificate_not_after(std::string const& certificate_pem) {
  auto const read = certificate_validity(certificate_pem);
  return read ? base::Result<std::int64_t>(read->until_s) : read.error();
}

namespace {

struct Chains {
  Chains() : store(X509_STORE_new()), context(X509_STORE_CTX_new()), others(sk_X509_new_null()) {}
  ~Chains() {
    X509_STORE_CTX_free(context);
    sk_X509_free(others);
    X509_STORE_free(store);
  }
  Chains(Chains const&) = delete;
  Chains& operator=(Chains const&) = delete;
  X509_STORE* store;
  X509_STORE_CTX* context;
  STACK_OF(X509) * others;  // owned by whoever parsed them
};

// `leaf`: whether it is the one that was to be judged, and not one behind it.
base::Failure unverified(int error, X509* at, bool leaf) {
  std::string const name = at == nullptr ? "" : "'" + common_name(at) + "'";
  if (error == X509_V_ERR_CERT_HAS_EXPIRED) {
    return base::fail(errc::expired, (leaf ? "the certificate " : "the certificate of the authority ") + name +
                                         " ended at " + utc(seconds_of(X509_get0_notAfter(at))) +
                                         (leaf ? "" : "; the next one: " + std::string(next_issuing_hint)));
  }
  if (error == X509_V_ERR_CERT_NOT_YET_VALID) {
    return base::fail(errc::expired, "the certificate " + name + " begins at " +
                                         utc(seconds_of(X509_get0_notBefore(at))) +
                                         ": see the clocks of both machines");
  }
  return base::fail(errc::untrusted, "the certificate does not lead to the mesh's root: " +
                                         std::string(X509_verify_cert_error_string(error)));
}

}  // namespace

base::Result<void> verify_chain(std::string const& chain_pem, std::string const& root_pem, std::int64_t now_s) {
  auto const chain = parse_certificates(chain_pem);
  auto const root = parse_certificate(root_pem);
  if (!chain || !root) {
    return chain ? root.error() : chain.error();
  }
  Chains const chains;
  for (std::size_t i = 1; i < chain->size(); ++i) {
    sk_X509_push(chains.others, chain->at(i).get());
  }
  bool const ready = X509_STORE_add_cert(chains.store, root->get()) == 1 &&
                     X509_STORE_CTX_init(chains.context, chains.store, chain->front().get(), chains.others) == 1;
  if (!ready) {
    return crypto_failure("cannot verify a certificate");
  }
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(chains.context), static_cast<time_t>(now_s));
  if (X509_verify_cert(chains.context) == 1) {
    return {};
  }
  ERR_clear_error();
  return unverified(X509_STORE_CTX_get_error(chains.context), X509_STORE_CTX_get_current_cert(chains.context),
                    X509_STORE_CTX_get_error_depth(chains.context) == 0);
}

base::Result<void> verify_own(std::string const& chain_pem, std::string const& root_pem, std::string const& key_pem,
                              std::int64_t now_s) {
  auto const certified = certificate_key_sha256(chain_pem);
  auto const own = public_key_sha256(key_pem);
  if (!certified || !own || *certified != *own) {
    return base::fail(errc::untrusted, "the certificate is not for this machine's key");
  }
  return verify_chain(chain_pem, root_pem, now_s);
}

}  // namespace internal_ca
