#include "acme/vault/errc.hpp"

namespace vault {
namespace {

// Boost's category has no virtual destructor; this one is static and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "acme.vault"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::not_found:
        return "no such certificate";
      case errc::stale:
        return "not the tenant's present certificate";
      case errc::fenced:
        return "this Navigator no longer issues certificates";
    }
    return "unknown";
  }
};
#pragma GCC diagnostic pop

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

}  // namespace vault
