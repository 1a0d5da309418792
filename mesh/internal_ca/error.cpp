#include "mesh/internal_ca/error.hpp"

#include "base/result/category.hpp"

namespace internal_ca {

namespace {

char const* message(int code) {
  switch (static_cast<errc>(code)) {
    case errc::bad_request:
      return "bad certificate request";
    case errc::crypto:
      return "cryptography failed";
    case errc::bad_state:
      return "unexpected state on disk";
    case errc::expired:
      return "a certificate has ended";
    case errc::untrusted:
      return "not by this authority";
  }
  return "unknown";
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("internal_ca", message);
  return {static_cast<int>(code), category};
}

}  // namespace internal_ca
