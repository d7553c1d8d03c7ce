-- Made by: config-center container write
-- Run once, when the primary begins.
SET synchronous_commit = local;
\set password `cat /run/secrets/database_password`
CREATE ROLE "config_center" LOGIN PASSWORD :'password';
CREATE DATABASE "config_center" OWNER "config_center";
\set password `cat /run/secrets/replication_password`
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
SELECT pg_create_physical_replication_slot('db2');
SELECT pg_create_physical_replication_slot('db3');
