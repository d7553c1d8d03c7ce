# Who may link and include whom, as data. A folder of src/ may use the folders on
# its line and nothing else; third-party libraries are confined to the folders that
# name them. cc_library() refuses anything else at configure time, and the test
# `layers` (script/check_layers.py) holds every #include against this same list.
#
#   CC_LAYER_<folder>    folders of src/ it may use
#   CC_EXTERNAL_<folder> third-party header prefixes that only the folders naming them may include

set(CC_FOLDERS base proto model state consensus view identity archive edge backup service http monitor api node deploy playground cli)

set(CC_LAYER_base "")
set(CC_LAYER_proto "")
set(CC_LAYER_model base)
set(CC_LAYER_state base proto model)
set(CC_LAYER_consensus base model)
set(CC_LAYER_view base model)
set(CC_LAYER_identity base model)
set(CC_LAYER_archive base model state)
set(CC_LAYER_edge base model state)
set(CC_LAYER_backup base proto model state)
set(CC_LAYER_service base proto model state consensus view identity archive edge)
set(CC_LAYER_http base model)
set(CC_LAYER_monitor base model)
set(CC_LAYER_api base model state consensus view identity archive edge service http)
set(CC_LAYER_node base proto model state consensus view identity archive edge backup service http monitor api)
set(CC_LAYER_deploy base model monitor)
set(CC_LAYER_playground base model deploy)
set(CC_LAYER_cli base model backup identity http monitor node deploy playground)

set(CC_EXTERNAL_base spdlog/ sodium openssl/ boost/asio/ssl archive.h archive_entry.h boost/process zlib)
set(CC_EXTERNAL_model yaml-cpp/ toml++/ pugixml)
set(CC_EXTERNAL_state SQLiteCpp/ sqlite3)
set(CC_EXTERNAL_consensus raft uv sodium openssl/ boost/asio/ssl)
set(CC_EXTERNAL_identity sodium openssl/)
set(CC_EXTERNAL_archive pqxx)
set(CC_EXTERNAL_edge hiredis/)
set(CC_EXTERNAL_backup archive.h archive_entry.h sodium absl/ curl/ openssl/ pugixml)
set(CC_EXTERNAL_http boost/beast openssl/ boost/asio/ssl zlib zstd)
set(CC_EXTERNAL_monitor prometheus/ yaml-cpp/)
set(CC_EXTERNAL_node yaml-cpp/)
set(CC_EXTERNAL_deploy yaml-cpp/)
set(CC_EXTERNAL_cli CLI/)
