#pragma once

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rpc/testing/http_client.hpp"
#include "tests/flow/flow.hpp"

namespace keel::tests {

/// A daemon that listens, on a port of its own.
class RunningDaemon {
  public:
    explicit RunningDaemon(const FlowFolder& folder, std::vector<std::string> flags = {}) {
        flags.insert(flags.begin(), {"daemon", "--http.port", "0"});
        if (std::ranges::find(flags, "--authrpc.port") == flags.end()) {
            flags.insert(flags.end(), {"--authrpc.port", "0"});
        }
        child_ = std::make_unique<ChildProcess>(folder.command(flags));
        listens_ = child_->wait_for_text("ready http=");
    }

    bool listens() const { return listens_; }
    /// The ready line, without its end.
    std::string ready_line() {
        const std::string& output = child_->output();
        const size_t begin = output.find("ready http=");
        while (output.find('\n', begin) == std::string::npos) {
            if (!child_->wait_for_text("\n")) break;
        }
        return output.substr(begin, output.find('\n', begin) - begin);
    }
    uint16_t port() { return port_before(" ws="); }
    uint16_t engine_port() { return port_before(" ipc="); }
    nlohmann::json ask(const std::string& method, const nlohmann::json& params) {
        using nlohmann::json;
        rpc::RawHttpClient client(port());
        const auto answer = client.ask(
            json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}.dump());
        return answer ? json::parse(answer->body) : json("no answer");
    }
    /// Exit code.
    int stop(int signal) {
        child_->signal(signal);
        return child_->wait();
    }
    const ChildProcess& child() const { return *child_; }

  private:
    uint16_t port_before(const char* next) {
        const std::string line = ready_line();
        const size_t end = line.find(next);
        return static_cast<uint16_t>(std::stoul(line.substr(line.rfind(':', end) + 1)));
    }

    std::unique_ptr<ChildProcess> child_;
    bool listens_ = false;
};

}  // namespace keel::tests
