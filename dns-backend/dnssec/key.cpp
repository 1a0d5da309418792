#include "dns-backend/dnssec/key.hpp"

#include "base/result/category.hpp"
#include "dns-backend/dns/ldns.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace dnssec {
namespace {

constexpr std::size_t key_text_max = 16384;
constexpr unsigned rsa_bits_least = 1024;
constexpr unsigned rsa_bits_most = 4096;

struct Algorithm {
  unsigned number;
  std::string_view name;  // as PowerDNS writes it
  unsigned bits;          // 0: any size (RSA)
  bool makes_keys;        // false: still read, no longer made
};
constexpr std::array<Algorithm, 8> algorithms{{{5, "RSASHA1", 0, false},
                                               {7, "RSASHA1-NSEC3-SHA1", 0, false},
                                               {8, "RSASHA256", 0, true},
                                               {10, "RSASHA512", 0, true},
                                               {13, "ECDSAP256SHA256", 256, true},
                                               {14, "ECDSAP384SHA384", 384, true},
                                               {15, "ED25519", 256, true},
                                               {16, "ED448", 456, true}}};

struct FreeKey {
  void operator()(ldns_key* key) const { ldns_key_deep_free(key); }
};
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using KeyPtr = std::unique_ptr<ldns_key, FreeKey>;

Algorithm const* find(unsigned number) {
  for (Algorithm const& algorithm : algorithms) {
    if (algorithm.number == number) {
      return &algorithm;
    }
  }
  return nullptr;
}

base::Result<KeyPtr> read(std::string_view text) {
  if (text.empty() || text.size() > key_text_max) {
    return base::fail(errc::bad_key, "a private key has 1 to " + std::to_string(key_text_max) + " octets");
  }
  // ldns stops at the first line it does not know, so a copy is all it may see.
  std::string copy(text);
  std::unique_ptr<std::FILE, CloseFile> const file(fmemopen(copy.data(), copy.size(), "r"));
  if (file == nullptr) {
    return base::fail(errc::bad_key, "out of memory");
  }
  ldns_key* raw = nullptr;
  int line = 0;
  ldns_status const status = ldns_key_new_frm_fp_l(&raw, file.get(), &line);
  KeyPtr key(raw);
  if (status != LDNS_STATUS_OK || key == nullptr) {
    return base::fail(errc::bad_key, std::string("the private key cannot be read: ") + ldns_get_errorstr_by_id(status));
  }
  return key;
}

// The fields behind the type: "257 3 13 ...", numbers and one text without blanks.
std::string rdata_of(ldns_rr const& record) {
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_rd_count(&record); ++i) {
    dns::TextPtr const field(ldns_rdf2str(ldns_rr_rdf(&record, i)));
    std::string part = field == nullptr ? "" : field.get();
    std::erase(part, ' ');
    text += (text.empty() ? "" : " ") + part;
  }
  return text;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("dnssec", [](int value) {
    switch (static_cast<errc>(value)) {
      case errc::bad_key:
        return "no private key";
      case errc::bad_algorithm:
        return "no algorithm to make keys of";
      case errc::bad_size:
        return "no size of key for this algorithm";
    }
    return "unknown dnssec error";
  });
  return {static_cast<int>(code), category};
}

base::Result<PublicKey> public_key(std::string_view private_key, unsigned flags, dns::Name const& zone) {
  auto const key = read(private_key);
  if (!key) {
    return key.error();
  }
  ldns_key_set_flags(key->get(), static_cast<std::uint16_t>(flags));
  ldns_key_set_pubkey_owner(key->get(), ldns_dname_new_frm_str(zone.text().c_str()));
  dns::RecordPtr const record(ldns_key2rr(key->get()));
  if (record == nullptr) {
    return base::fail(errc::bad_key, "the private key has no public key");
  }
  PublicKey out;
  out.algorithm = static_cast<unsigned>(ldns_key_algorithm(key->get()));
  Algorithm const* const algorithm = find(out.algorithm);
  out.bits = algorithm != nullptr && algorithm->bits != 0
                 ? algorithm->bits
                 : static_cast<unsigned>(ldns_rr_dnskey_key_size(record.get()));
  out.dnskey = rdata_of(*record);
  for (ldns_hash const hash : {LDNS_SHA1, LDNS_SHA256, LDNS_SHA384}) {
    dns::RecordPtr const ds(ldns_key_rr2ds(record.get(), hash));
    if (ds != nullptr) {
      out.ds.push_back(rdata_of(*ds));
    }
  }
  return out;
}

base::Result<std::string> generate(unsigned algorithm, unsigned bits) {
  Algorithm const* const known = find(algorithm);
  if (known == nullptr || !known->makes_keys) {
    return base::fail(errc::bad_algorithm, "no keys of algorithm " + std::to_string(algorithm) + " are made here");
  }
  if (known->bits == 0 && bits == 0) {
    return base::fail(errc::bad_size, "Creating an algorithm " + std::to_string(algorithm) + " (" +
                                          std::string(known->name) + ") key requires the size (in bits) to be passed.");
  }
  bool const fits = known->bits == 0 ? bits >= rsa_bits_least && bits <= rsa_bits_most && bits % 8 == 0
                                     : bits == 0 || bits == known->bits;
  if (!fits) {
    return base::fail(errc::bad_size, "The algorithm does not support the given bit size.");
  }
  auto const size = static_cast<std::uint16_t>(bits == 0 ? known->bits : bits);
  KeyPtr const key(ldns_key_new_frm_algorithm(static_cast<ldns_signing_algorithm>(algorithm), size));
  dns::TextPtr const text(key == nullptr ? nullptr : ldns_key2str(key.get()));
  if (text == nullptr || !read(text.get())) {
    return base::fail(errc::bad_key, "no key could be made");
  }
  return std::string(text.get());
}

std::string_view algorithm_name(unsigned algorithm) {
  Algorithm const* const known = find(algorithm);
  return known == nullptr ? std::string_view() : known->name;
}

unsigned algorithm_number(std::string_view name) {
  unsigned number = 0;
  auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) {
    return find(number) == nullptr ? 0 : number;
  }
  std::string upper(name);
  for (char& c : upper) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  for (Algorithm const& algorithm : algorithms) {
    if (upper == algorithm.name) {
      return algorithm.number;
    }
  }
  // pdnsutil's short words.
  return upper == "ECDSA256" ? 13 : upper == "ECDSA384" ? 14 : 0;
}

}  // namespace dnssec
