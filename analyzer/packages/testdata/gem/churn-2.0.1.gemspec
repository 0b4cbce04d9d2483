# -*- encoding: utf-8 -*-
# stub: churn 2.0.1 ruby lib
# stub: ext/churn/extconf.rb

Gem::Specification.new do |s|
  s.name = "churn".freeze
  s.version = "2.0.1"

  s.required_rubygems_version = Gem::Requirement.new(">= 0".freeze) if s.respond_to? :required_rubygems_version=
  s.require_paths = ["lib".freeze]
  s.authors = ["a".freeze]
  s.date = "2026-11-21"
  s.executables = ["churn".freeze]
  s.extensions = ["ext/churn/extconf.rb".freeze]
  s.files = ["bin/churn".freeze, "ext/churn/extconf.rb".freeze]
  s.homepage = "https://example.com".freeze
  s.licenses = ["MIT".freeze]
  s.rubygems_version = "3.3.15".freeze
  s.summary = "churns".freeze

  s.installed_by_version = "3.3.15" if s.respond_to? :installed_by_version
end
