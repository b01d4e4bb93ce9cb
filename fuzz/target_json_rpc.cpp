#include <string>

#include "fuzz/fuzz.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/testing/small_store.hpp"

using namespace keel;

namespace {

struct Server {
    rpc::SmallStore store;
    rpc::Dispatcher dispatcher{store.backend, {"eth", "net", "web3"}, {}};
    rpc::Exchange exchange, answer;
    rpc::Worker worker;
    bool failed = false;

    Server() {
        // No request may end in a fault of the server.
        store.backend.on_fault = [this](std::string_view) { failed = true; };
        store.backend.call_gas_cap = 200'000;
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static Server server;
    std::string body(reinterpret_cast<const char*>(data), size);
    body.append(rpc::kJsonPadding, 'z');
    (void)server.dispatcher.parse(server.exchange, std::string_view(body).substr(0, size));
    server.dispatcher.run(server.exchange, server.worker);
    fuzz::require(!server.failed, "a request ends in an answer, not in a fault");
    std::string text(server.exchange.out.text());
    const size_t answered = text.size();
    if (answered != 0) {
        text.append(rpc::kJsonPadding, 'z');
        const auto verdict = server.answer.in.parse(std::string_view(text).substr(0, answered));
        fuzz::require(verdict == rpc::JsonVerdict::Ok, "an answer is JSON");
    }
    server.exchange.trim();
    return 0;
}
