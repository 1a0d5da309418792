#include "acme/keyring/errc.hpp"

namespace keyring {
namespace {

// Boost's category has no virtual destructor; this one is static and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "acme.keyring"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::key_file:
        return "unusable master key file";
      case errc::sealed:
        return "the sealed key does not open";
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

}  // namespace keyring
