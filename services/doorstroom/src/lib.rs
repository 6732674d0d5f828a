#![doc = include_str!("../README.md")]

pub mod call;
pub mod cluster;
pub mod command_line;
pub mod demo;
pub mod doctor;
pub mod doors;
pub mod dynamic;
pub mod local;
pub mod refusal;
pub mod replay;
pub mod rest;
pub mod rewrap;
pub mod roles;
pub mod verify;
pub mod watch;
