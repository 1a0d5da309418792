#include "base/http_server/revocations.hpp"

#include "base/net/stream.hpp"
#include "base/process/log.hpp"
#include "base/process/service.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace net {
namespace {

constexpr std::size_t size_max = 16U << 20U;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_CRL* list) const { X509_CRL_free(list); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

bool same(struct stat const& a, struct stat const& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

base::Result<std::set<std::string>> parse_revocations(std::string_view pem) {
  Owned<BIO> const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min(pem.size(), size_max))));
  Owned<X509_CRL> const list(bio ? PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  if (!list) {
    return base::fail(errc::certificate, "it holds no list of revoked certificates (CRL) in PEM form");
  }
  std::set<std::string> out;
  auto* const entries = X509_CRL_get_REVOKED(list.get());
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    out.insert(detail::serial_text(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  return out;
}

Revocations::Revocations(std::string file) : file_(std::move(file)) {
  look();
}

bool Revocations::contains(std::string const& serial) {
  look();
  return serials_.contains(serial);
}

void Revocations::look() {
  struct stat now {};
  if (::stat(file_.c_str(), &now) != 0) {
    failed(file_ + ": " + std::strerror(errno));  // NOLINT(concurrency-mt-unsafe): glibc's is safe
    seen_ = {};
    return;
  }
  if (!same(now, seen_)) {
    seen_ = now;
    read();
  }
}

void Revocations::read() {
  auto const text = process::read_file(file_, size_max);
  auto serials = text ? parse_revocations(*text) : text.error();
  if (!serials) {
    failed(file_ + ": " + serials.error().detail);
    return;
  }
  if (*serials != serials_ || !failure_.empty()) {
    process::log::info("http", "{} names {} revoked certificates", file_, serials->size());
  }
  serials_ = std::move(*serials);
  failure_.clear();
}

void Revocations::failed(std::string what) {
  if (what != failure_) {
    process::log::warning("http", "{}; {}", what,
                          serials_.empty() ? "a removed node's certificate is accepted until it ends"
                                           : "certificates that are revoked from now on are accepted until they end");
  }
  failure_ = std::move(what);
}

}  // namespace net
