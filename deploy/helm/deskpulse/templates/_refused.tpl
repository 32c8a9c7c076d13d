{{- /* What the schema cannot say: fails with all that is wrong, and what to do. */}}
{{- define "deskpulse.refuse" -}}
{{- $wrong := list }}
{{- $values := .Values }}
{{- if not $values.image.repository }}{{ $wrong = append $wrong "image.repository is missing: where you pushed what `make image` made, such as registry.example.org/deskpulse" }}{{ end }}
{{- if not $values.kafka.broker }}{{ $wrong = append $wrong "kafka.broker is missing: HOST:PORT[,HOST:PORT…] of your Kafka" }}{{ end }}
{{- if not $values.kafka.partitions }}{{ $wrong = append $wrong "kafka.partitions is missing: how many the topics have, or are to get: four times the workers that you think of" }}
{{- else }}
{{- $most := int $values.kafka.partitions }}
{{- if and $values.worker.autoscaling.enabled (gt (int $values.worker.autoscaling.max) $most) }}{{ $wrong = append $wrong (printf "worker.autoscaling.max is %d, but there are %d partitions (kafka.partitions): a worker without one has no work" (int $values.worker.autoscaling.max) $most) }}{{ end }}
{{- if and (not $values.worker.autoscaling.enabled) (gt (int $values.worker.replicas) $most) }}{{ $wrong = append $wrong (printf "worker.replicas is %d, but there are %d partitions (kafka.partitions): a worker without one has no work" (int $values.worker.replicas) $most) }}{{ end }}
{{- end }}
{{- with $values.worker.autoscaling }}
{{- if and .enabled (gt (int .min) (int .max)) }}{{ $wrong = append $wrong (printf "worker.autoscaling.min is %d, and max %d: min is the smaller one" (int .min) (int .max)) }}{{ end }}
{{- end }}
{{- range list "database" "redis" "pseudonymKey" }}
{{- if not (include "deskpulse.secret" (list $ . "")) }}{{ $wrong = append $wrong (printf "the secret %s is nowhere: name your Secret in secrets.existing, or secrets.from.%s, or give secrets.create.%s for a try" . . .) }}{{ end }}
{{- end }}
{{- if hasPrefix "SASL" $values.kafka.securityProtocol }}
{{- if has $values.kafka.sasl.mechanism (list "OAUTHBEARER" "AWS_MSK_IAM" "GSSAPI") }}{{ $wrong = append $wrong (printf "kafka.sasl.mechanism %s: Deskpulse speaks PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 only; make a SCRAM user (Amazon MSK: SASL/SCRAM by Secrets Manager; Confluent Cloud, Event Hubs: PLAIN)" $values.kafka.sasl.mechanism) }}{{ end }}
{{- if not $values.kafka.sasl.username }}{{ $wrong = append $wrong (printf "kafka.sasl.username is missing: %s needs it" $values.kafka.securityProtocol) }}{{ end }}
{{- if not (include "deskpulse.secret" (list . "kafkaPassword" "")) }}{{ $wrong = append $wrong (printf "the secret kafkaPassword is nowhere: %s needs it; name your Secret in secrets.existing, or secrets.from.kafkaPassword" $values.kafka.securityProtocol) }}{{ end }}
{{- end }}
{{- if and (not (hasSuffix "SSL" $values.kafka.securityProtocol)) (or $values.kafka.tls.ca.secret $values.kafka.tls.ca.configMap $values.kafka.tls.client.secret) }}{{ $wrong = append $wrong (printf "kafka.tls is set, but kafka.securityProtocol is %s, which has no TLS: SSL or SASL_SSL" $values.kafka.securityProtocol) }}{{ end }}
{{- if and (has $values.database.sslMode (list "verify-ca" "verify-full")) (not (or $values.database.ca.secret $values.database.ca.configMap)) }}{{ $wrong = append $wrong (printf "database.sslMode is %s, and needs the certificate authority of PostgreSQL's server: database.ca" $values.database.sslMode) }}{{ end }}
{{- range $name, $one := dict "kafka.tls.ca" $values.kafka.tls.ca "redis.ca" $values.redis.ca "database.ca" $values.database.ca }}
{{- if and $one.secret $one.configMap }}{{ $wrong = append $wrong (printf "%s names a secret and a config map: one of them" $name) }}{{ end }}
{{- end }}
{{- range $name, $one := $values.files }}
{{- if and $one.text $one.configMap }}{{ $wrong = append $wrong (printf "files.%s has a text and names a config map: one of them" $name) }}{{ end }}
{{- end }}
{{- range list "notifier" "gateway" }}
{{- $file := index $values.files (ternary "notify" "gateway" (eq . "notifier")) }}
{{- if and (index $values .).enabled (not (or $file.text $file.configMap)) }}{{ $wrong = append $wrong (printf "%s.enabled needs its file: files.%s.text or .configMap (`deskpulse %s example` prints one)" . (ternary "notify" "gateway" (eq . "notifier")) (ternary "notify" "gateway" (eq . "notifier"))) }}{{ end }}
{{- end }}
{{- range list "notifier" "wallboard" "scores" "web" "gateway" }}
{{- $own := index $values . }}
{{- if and $own.ingress.enabled (not $own.ingress.host) }}{{ $wrong = append $wrong (printf "%s.ingress.host is missing: the name by which it is called from outside" .) }}{{ end }}
{{- if and $own.ingress.enabled (not $own.enabled) }}{{ $wrong = append $wrong (printf "%s.ingress.enabled, but %s is off: there is nothing behind it" . .) }}{{ end }}
{{- end }}
{{- if $wrong }}{{ fail (printf "\n- %s" (join "\n- " $wrong)) }}{{ end }}
{{- end }}
