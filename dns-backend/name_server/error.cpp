#include "dns-backend/name_server/error.hpp"

#include "base/result/category.hpp"

namespace name_server {

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("name server", [](int value) {
    switch (static_cast<errc>(value)) {
      case errc::unreachable:
        return "the name server cannot be reached";
      case errc::refused:
        return "the name server refuses";
      case errc::bad_answer:
        return "the name server's answer makes no sense";
      case errc::bad_question:
        return "no such question can be asked";
    }
    return "unknown name server error";
  });
  return {static_cast<int>(code), category};
}

}  // namespace name_server
